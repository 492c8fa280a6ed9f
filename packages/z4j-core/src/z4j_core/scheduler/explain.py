"""Triggers in plain words. The rule: what decides a slot is said, also what rarely does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .cron import Cron, parse
from .days import DayRule
from .kinds import (
    CalendarSpec,
    CronSpec,
    CustomSpec,
    IntervalSpec,
    OnceSpec,
    OnStartSpec,
    RruleSpec,
    SolarSpec,
    Spec,
)
from .moments import When, every_of
from .read import instant_text
from .spec import TriggerSpec
from .walls import Dst
from .written import LONG_NAMES

_MINUTES = 60
_HASHED = re.compile(r"(?:^|[ ,])H", re.IGNORECASE)
_FEW_TIMES = 6
_UNITS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second"))
_DAYS = {number: name.title() for name, number in LONG_NAMES["dow"].items()}
_MONTHS = {number: name.title() for name, number in LONG_NAMES["month"].items()}
_GAPS = {
    "after": "a time the clock skips fires right after it",
    "shift": "a time the clock skips fires later by as much",
    "skip": "a time the clock skips is lost",
}
_FOLDS = {
    "first": "a time the clock repeats fires once",
    "last": "a time the clock repeats fires the second time",
    "both": "a time the clock repeats fires twice",
}
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}


def words(spec: TriggerSpec) -> str:
    """What a trigger does, in sentences."""
    said = ["; also ".join(spec_words(each) for each in spec.specs)]
    if spec.exclude:
        said.append("not " + "; nor ".join(spec_words(each) for each in spec.exclude))
    said += [
        f"days off in {calendar.ref} are {_HITS[calendar.on_hit]}" for calendar in spec.calendars
    ]
    said += [
        f"{_window(each.json())}: slots are {'deferred' if each.action == 'defer' else 'skipped'}"
        for each in spec.blackouts
    ]
    if spec.start_at is not None:
        said.append(f"from {_when(spec.start_at)}")
    if spec.end_at is not None:
        said.append(f"until {_when(spec.end_at)}")
    if spec.max_fires is not None:
        said.append(f"at most {spec.max_fires} times")
    if spec.jitter_s:
        said.append(f"up to {length(spec.jitter_s * 1000)} later, by chance that repeats")
    return ". ".join(part[0].upper() + part[1:] for part in said) + "."


_HITS = {
    "skip": "skipped",
    "next_business_day": "moved to the next business day",
    "previous_business_day": "moved to the previous business day",
}


def spec_words(spec: Spec) -> str:
    """What one spec does."""
    return _SAID[type(spec)](spec)


def length(length_ms: int) -> str:
    """A length of time in its largest whole units."""
    said = []
    for unit_ms, name in _UNITS:
        count, length_ms = divmod(length_ms, unit_ms)
        if count:
            said.append(f"{count} {name}{'s' if count > 1 else ''}")
    if length_ms:
        said.append(f"{length_ms} ms")
    return " ".join(said) or "0 seconds"


def _cron(spec: CronSpec) -> str:
    every = every_of(spec.expr, spec.dialect)
    if every is not None:
        return f"every {length(every)} since it was made"
    if spec.dialect == "cron" and _HASHED.search(spec.expr):
        return f"{spec.expr!r}, H by the id of the schedule, in {spec.tz}"
    read = parse(spec.expr, spec.dialect)
    clocks = _dst(spec.dst, spec.tz, wild=read.wildcard)
    return f"{times_words(read)}{days_words(read.rule)} in {spec.tz}{clocks}"


def times_words(cron: Cron) -> str:
    """The times of day of a text."""
    minutes, seconds = cron.times.minutes, cron.times.seconds
    if len(minutes) * len(seconds) <= _FEW_TIMES:
        return "at " + listed(_clock(m, s) for m in minutes for s in seconds)
    hours = sorted({minute // _MINUTES for minute in minutes})
    within = sorted({minute % _MINUTES for minute in minutes})
    said = "" if seconds == (0,) else f"at second {ranges(seconds, 0, 59, 'every second')} of "
    said += "every minute" if len(within) == _MINUTES else f"minute {ranges(within, 0, 59)}"
    every_hour = len(hours) == 24  # noqa: PLR2004  (a day)
    return said + (" of every hour" if every_hour else f" of hour {ranges(hours, 0, 23)}")


def days_words(rule: DayRule) -> str:
    """The days of a rule, with a space before it; nothing for every day."""
    dom, dow = _dom(rule), _dow(rule)
    joint = " that is also " if rule.both else " or "
    days = joint.join(part for part in (dom, dow) if part)
    if not rule.both and not (dom and dow):
        days = ""
    said = f", {days}" if days else ", every day"
    if len(rule.months) < len(_MONTHS):
        said += f", in {listed(_MONTHS[month] for month in sorted(rule.months))}"
    if rule.years is not None:
        said += f", in {listed(map(str, sorted(rule.years)))}"
    return said


def _dom(rule: DayRule) -> str:
    dom = rule.dom
    if len(dom.days) == 31:  # noqa: PLR2004  (every day of any month)
        return ""
    said = [f"day {ranges(sorted(dom.days), 1, 31)} of the month"] if dom.days else []
    said += [
        f"{back} days before the last day" if back else "the last day of the month"
        for back in sorted(dom.last)
    ]
    said += [f"the weekday nearest to day {day}" for day in sorted(dom.near)]
    if dom.last_weekday:
        said.append("the last weekday of the month")
    return listed(said, "or")


def _dow(rule: DayRule) -> str:
    dow = rule.dow
    if len(dow.days) == len(_DAYS):
        return ""
    said = [listed((_DAYS[day] for day in sorted(dow.days)), "or")] if dow.days else []
    said += [f"the {_ORDINALS[n]} {_DAYS[day]}" for day, n in sorted(dow.nth)]
    said += [f"the last {_DAYS[day]}" for day in sorted(dow.last)]
    return listed(said, "or")


def listed(parts: Iterable[str], joint: str = "and") -> str:
    """Words in a row."""
    said = list(parts)
    if len(said) < 2:  # noqa: PLR2004  (a row of one)
        return "".join(said)
    return f"{', '.join(said[:-1])} {joint} {said[-1]}"


def ranges(values: Iterable[int], low: int, high: int, every: str = "") -> str:
    """Numbers, with three or more in a row as a range."""
    rows: list[list[int]] = []
    for value in values:
        if rows and value == rows[-1][-1] + 1:
            rows[-1].append(value)
        else:
            rows.append([value])
    if every and rows == [list(range(low, high + 1))]:
        return every
    return listed(
        f"{row[0]} to {row[-1]}" if len(row) > 2 else listed(map(str, row))  # noqa: PLR2004
        for row in rows
    )


def _clock(minute: int, second: int) -> str:
    said = f"{minute // _MINUTES:02}:{minute % _MINUTES:02}"
    return f"{said}:{second:02}" if second else said


def _dst(dst: Dst, tz: str, *, wild: bool = False) -> str:
    """What changes of the clock do; nothing where there are none."""
    if tz.startswith("UTC"):
        return ""
    gap = "every real hour counts" if wild and dst.gap == "after" else _GAPS[dst.gap]
    return f" ({gap}; {_FOLDS[dst.fold_wild if wild else dst.fold]})"


def _when(when: When) -> str:
    if when.local is None:
        return instant_text(when.at_ms or 0)
    return f"{when.local.isoformat(' ')} in {when.tz}"


def _window(window: Mapping[str, Any]) -> str:
    if "cron" in window:
        return f"for {length(window['duration_s'] * 1000)} behind {window['cron']!r}"
    return f"from {window['start']} to {window['end']}"


def _interval(spec: IntervalSpec) -> str:
    since = {"created": "since it was made", "epoch": "since 1970-01-01T00:00:00Z"}
    if spec.mode == "fixed_delay":
        return f"{length(spec.every_ms)} after each run ended"
    anchor = spec.anchor
    start = since[anchor] if isinstance(anchor, str) else f"since {instant_text(anchor)}"
    phase = f" plus {length(spec.phase_ms)}" if spec.phase_ms else ""
    return f"every {length(spec.every_ms)} {start}{phase}, whatever the clocks do"


def _calendar(spec: CalendarSpec) -> str:
    unit = spec.unit if spec.count > 1 else spec.unit[:-1]
    count = f"{spec.count} " if spec.count > 1 else ""
    short = ""
    if spec.unit in ("months", "years"):
        lacks = "its last" if spec.month_end == "clamp" else "skipped"
        short = f", a day the month lacks is {lacks}"
    since = f"since {spec.anchor.isoformat(' ')} in {spec.tz}"
    return f"every {count}{unit} {since}{short}{_dst(spec.dst, spec.tz)}"


def _solar(spec: SolarSpec) -> str:
    event = spec.event.replace("_", " ")
    place = f"at latitude {spec.lat:g}, longitude {spec.lon:g}"
    offset = ""
    if spec.offset_s:
        side = "after" if spec.offset_s > 0 else "before"
        offset = f"{length(abs(spec.offset_s) * 1000)} {side} "
    none = "noon" if spec.on_no_event == "noon" else "nothing"
    return f"{offset}{event} {place}; {none} on days without it"


def _rrule(spec: RruleSpec) -> str:
    return f"by the rule {spec.text!r}{_dst(spec.dst, '')}"


_SAID: Mapping[type, Callable[[Any], str]] = {
    CronSpec: _cron,
    IntervalSpec: _interval,
    CalendarSpec: _calendar,
    OnceSpec: lambda spec: f"once at {_when(spec.at)}",
    SolarSpec: _solar,
    RruleSpec: _rrule,
    OnStartSpec: lambda _: "once when a new release starts",
    CustomSpec: lambda spec: (
        f"by code that cannot be read{f': {spec.shown}' if spec.shown else ''}"
    ),
}
