"""From documents to timings. The rule: what depends on the schedule is passed in here, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..errors import ScheduleInvalid
from .blackouts import Blackout
from .calendars import UNITS, EveryDays, EveryMonths
from .cron import parse
from .explain import words
from .interval import FixedDelay, Interval, Once, wall_slot
from .kinds import CalendarSpec, CronSpec, IntervalSpec, OnceSpec, RruleSpec, SolarSpec, Spec
from .moments import When, every_of
from .rrule import Rrule
from .slots import Timing, utc_slot, wall_seconds
from .solar import Solar
from .spec import BlackoutSpec, TriggerSpec
from .trigger import Joined, Trigger, Without
from .walls import Wall
from .workdays import DaysOff, OnWorkdays
from .zone import Zone, zone


@dataclass(frozen=True, slots=True)
class Context:
    """What a trigger is built for.

    `schedule_id` is hashed by H, `created_ms` anchors intervals, `calendars` are found by name,
    and `ended_ms` is when the last run ended, for fixed delays.
    """

    schedule_id: str = ""
    created_ms: int = 0
    calendars: Mapping[str, DaysOff] = field(default_factory=dict)
    ended_ms: int | None = None


def build(
    spec: TriggerSpec, context: Context | None = None, kind: type[Trigger] = Trigger
) -> Trigger:
    """The trigger of a spec.

    Raises:
        ScheduleInvalid: schedule.calendar, schedule.bounds, schedule.extra_missing
    """
    context = context or Context()
    excluded = tuple(timing_of(each, context) for each in spec.exclude)
    calendars = _calendars(spec, context)
    timings = []
    for each in spec.specs:
        timing = timing_of(each, context)
        if excluded:
            timing = Without(timing, excluded)
        if calendars:
            timing = OnWorkdays(timing, calendars, zone_of(each))
        timings.append(timing)
    start, end = _bounds(spec)
    return kind(
        timings[0] if len(timings) == 1 else Joined(tuple(timings)),
        tuple(
            _blackout(each, context, f"/blackouts/{place}")
            for place, each in enumerate(spec.blackouts)
        ),
        start,
        end,
        spec.jitter_s * 1000,
        spec.jitter_mode,
        partial(words, spec),
    )


def check(spec: TriggerSpec, context: Context, now_ms: int) -> list[str]:
    """Build a trigger and look for its next slot; what is odd but allowed comes back in words.

    Raises:
        ScheduleInvalid: also schedule.never, where no slot comes within 41 years
    """
    trigger = build(spec, context)
    timed = [each for each in spec.specs if each.kind not in ("on_start", "custom")]
    if not timed or trigger.next(now_ms) is not None:
        return []
    if trigger.prev(now_ms + 1) is not None:
        return ["every slot is in the past: catch-up alone decides whether one fires"]
    raise ScheduleInvalid(
        "schedule.never",
        "no slot within 41 years",
        hint="check bounds, excludes, calendars and blackouts against the specs",
        pointer="/specs",
    )


def timing_of(spec: Spec, context: Context) -> Timing:
    """One spec as a timing; a kind without slots of time has none."""
    make = _MAKERS.get(spec.kind)
    return Once(None) if make is None else make(spec, context)


def _cron(spec: CronSpec, context: Context) -> Timing:
    every = every_of(spec.expr, spec.dialect)
    if every is not None:
        return Interval(every, context.created_ms // 1000 * 1000)
    read = parse(spec.expr, spec.dialect, context.schedule_id)
    return Wall(read.times, zone(spec.tz), spec.dst)


def _interval(spec: IntervalSpec, context: Context) -> Timing:
    anchors = {"created": context.created_ms // 1000 * 1000, "epoch": 0}
    anchor = anchors[spec.anchor] if isinstance(spec.anchor, str) else spec.anchor
    start = anchor + spec.phase_ms
    if spec.mode == "fixed_delay":
        return FixedDelay(spec.every_ms, start, context.ended_ms)
    return Interval(spec.every_ms, start)


def _calendar(spec: CalendarSpec, _: Context) -> Timing:
    count = spec.count * UNITS[spec.unit]
    if spec.unit in ("days", "weeks"):
        return Wall(EveryDays(spec.anchor, count), zone(spec.tz), spec.dst)
    months = EveryMonths(spec.anchor, count, clamp=spec.month_end == "clamp")
    return Wall(months, zone(spec.tz), spec.dst)


def _once(spec: OnceSpec, _: Context) -> Timing:
    when = spec.at
    if when.local is None:
        return Once(utc_slot(when.at_ms or 0))
    return Once(wall_slot(wall_seconds(when.local), zone(when.tz), when.fold))


def _solar(spec: SolarSpec, _: Context) -> Timing:
    noon = spec.on_no_event == "noon"
    return Solar(spec.event, spec.lat, spec.lon, spec.offset_s, noon=noon)


def _rrule(spec: RruleSpec, _: Context) -> Timing:
    rule = Rrule(spec.text)
    return Wall(rule, rule.zone, spec.dst)


_MAKERS: Mapping[str, Callable[[Any, Context], Timing]] = {
    "cron": _cron,
    "interval": _interval,
    "calendar": _calendar,
    "once": _once,
    "solar": _solar,
    "rrule": _rrule,
}


def zone_of(spec: Spec) -> Zone:
    """The zone whose dates a spec lives by."""
    if isinstance(spec, (CronSpec, CalendarSpec)):
        return zone(spec.tz)
    if isinstance(spec, OnceSpec):
        return zone(spec.at.tz)
    return Rrule(spec.text).zone if isinstance(spec, RruleSpec) else zone("UTC")


def _calendars(spec: TriggerSpec, context: Context) -> tuple[tuple[DaysOff, str], ...]:
    found = []
    for place, calendar in enumerate(spec.calendars):
        if calendar.ref not in context.calendars:
            raise ScheduleInvalid(
                "schedule.calendar",
                f"no calendar {calendar.ref[:60]!r}",
                hint=f"use one of {', '.join(sorted(context.calendars)) or 'none: add it first'}",
                pointer=f"/calendars/{place}/ref",
            )
        found.append((context.calendars[calendar.ref], calendar.on_hit))
    return tuple(found)


def instant_of(when: When, pointer: str) -> int:
    """The instant of a time.

    Raises:
        ScheduleInvalid: schedule.bounds, where its date does not exist
    """
    if when.local is None:
        return when.at_ms or 0
    slot = wall_slot(wall_seconds(when.local), zone(when.tz), when.fold)
    if slot is None:
        raise ScheduleInvalid(
            "schedule.bounds",
            f"{when.local.date()} does not exist in {when.tz}",
            hint="take the day before or after",
            pointer=pointer,
        )
    return slot.at_ms


def _bounds(spec: TriggerSpec) -> tuple[int | None, int | None]:
    start = None if spec.start_at is None else instant_of(spec.start_at, "/start_at")
    end = None if spec.end_at is None else instant_of(spec.end_at, "/end_at")
    if start is not None and end is not None and start >= end:
        raise ScheduleInvalid(
            "schedule.bounds",
            "it ends before it starts",
            hint="let the end be later than the start",
            pointer="/end_at",
        )
    return start, end


def _blackout(spec: BlackoutSpec, context: Context, pointer: str) -> Blackout:
    defer = spec.action == "defer"
    if spec.cron is not None:
        return Blackout(None, timing_of(spec.cron, context), spec.duration_s * 1000, defer=defer)
    assert spec.start is not None
    assert spec.end is not None
    start = instant_of(spec.start, f"{pointer}/start")
    end = instant_of(spec.end, f"{pointer}/end")
    if start >= end:
        raise ScheduleInvalid(
            "schedule.bounds",
            "the window ends before it starts",
            hint="let the end be later than the start",
            pointer=f"{pointer}/end",
        )
    return Blackout((start, end), defer=defer)
