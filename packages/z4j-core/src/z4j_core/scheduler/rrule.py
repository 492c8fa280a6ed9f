"""RFC 5545 rules. The rule: expanded as naive wall times, and placed by the zone like any other.

python-dateutil expands them and is found at the first use: `z4j-core[rrule]`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from ..errors import ScheduleInvalid
from .slots import DAY_S, EPOCH, HORIZON_S, wall, wall_seconds
from .zone import Zone, zone

MAX_TEXT = 4096
MAX_COUNT = 10_000
_BATCH = 128
_PERIOD_S = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": DAY_S, "WEEKLY": 7 * DAY_S}
_SLOW = ("MONTHLY", "YEARLY")
_LINE = re.compile(r"(DTSTART|RRULE|RDATE|EXDATE)((?:;[A-Z]+=[^:;]+)*):(.+)", re.IGNORECASE)
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", re.IGNORECASE)
_WINDOWS_S = (2 * DAY_S, 70 * DAY_S, 800 * DAY_S, HORIZON_S)


class Rrule:
    """The wall times of a text. What it found last is kept: the next call usually goes on there."""

    wildcard = False
    daily = True

    def __init__(self, text: str) -> None:
        lines = _lines(text)
        self.zone, self._start = _dtstart(lines)
        self._added = sorted({*lines_times(lines, "RDATE", self.zone)})
        self._gone = frozenset(lines_times(lines, "EXDATE", self.zone))
        self._parts: dict[str, str] = {}
        self._rule: Any = None
        if rules := [value for name, _, value in lines if name == "RRULE"]:
            if len(rules) > 1:
                raise _wrong("more than one RRULE", "use one spec for each")
            self._parts = _parts(rules[0], self.zone)
            self._rule = _dateutil(self._parts, wall(self._start))
        elif not self._added:
            self._added = [self._start]
        self._low = self._high = 0
        self._known: list[int] = []

    def after(self, local_s: int) -> int | None:
        """The first nominal later than this second of the wall."""
        while True:
            place = bisect_right(self._added, local_s)
            added = self._added[place] if place < len(self._added) else None
            ruled = self._ruled_after(local_s) if self._rule is not None else None
            found = min((at for at in (added, ruled) if at is not None), default=None)
            if found is None or found not in self._gone:
                return found
            local_s = found

    def before(self, local_s: int) -> int | None:
        """The last nominal earlier than this second of the wall."""
        while True:
            place = bisect_left(self._added, local_s)
            added = self._added[place - 1] if place else None
            ruled = self._ruled_before(local_s) if self._rule is not None else None
            found = max((at for at in (added, ruled) if at is not None), default=None)
            if found is None or found not in self._gone:
                return found
            local_s = found

    def _ruled_after(self, local_s: int) -> int | None:
        if not self._low <= local_s < self._high:
            rule = self._from(local_s, local_s + HORIZON_S)
            found = islice(rule.xafter(wall(local_s)), _BATCH)
            self._known = [wall_seconds(at) for at in found]
            self._low = local_s
            self._high = self._known[-1] if len(self._known) == _BATCH else local_s + DAY_S
        place = bisect_right(self._known, local_s)
        return self._known[place] if place < len(self._known) else None

    def _ruled_before(self, local_s: int) -> int | None:
        for window in _WINDOWS_S:
            low = local_s - window
            rule = self._from(low, local_s)
            found = rule.before(wall(local_s))
            if found is not None:
                return wall_seconds(found)
            if low <= self._start:
                return None
        return None

    def _from(self, low: int, high: int) -> Any:
        """The rule, begun shortly before `low` by whole periods, and ended at `high`."""
        if "COUNT" in self._parts:
            return self._rule
        start = self._start
        period = _PERIOD_S.get(self._parts["FREQ"], 0) * int(self._parts.get("INTERVAL", "1"))
        if period and low > start:
            start += (low - start) // period * period - period
            start = max(start, self._start)
        until = wall(max(high, start))
        if self._rule._until is not None:  # noqa: SLF001  (the only place it is kept)
            until = min(until, self._rule._until)  # noqa: SLF001
        return self._rule.replace(dtstart=wall(start), until=until)


def _lines(text: str) -> list[tuple[str, str, str]]:
    if len(text) > MAX_TEXT:
        raise _wrong(f"{len(text)} characters", f"a rule has at most {MAX_TEXT}")
    found = []
    for line in text.split():
        match = _LINE.fullmatch(line)
        if match is None:
            raise _wrong(
                f"cannot read {line[:60]!r}", "write lines of DTSTART, RRULE, RDATE and EXDATE"
            )
        found.append((match[1].upper(), match[2], match[3]))
    return found


def _dtstart(lines: list[tuple[str, str, str]]) -> tuple[Zone, int]:
    starts = [(params, value) for name, params, value in lines if name == "DTSTART"]
    if len(starts) != 1:
        raise _wrong(
            "not exactly one DTSTART", "begin with DTSTART;TZID=Europe/Berlin:20260101T090000"
        )
    params, value = starts[0]
    tzid = re.search(r";TZID=([^;]+)", params, re.IGNORECASE)
    if tzid is None and not value.upper().endswith("Z"):
        raise _wrong("a DTSTART without TZID", "write DTSTART;TZID=Europe/Berlin:20260101T090000")
    place = zone(tzid[1] if tzid else "UTC")
    return place, _time(value, place)


def lines_times(lines: list[tuple[str, str, str]], name: str, place: Zone) -> list[int]:
    """The wall times of all lines with a name."""
    return [
        _time(value, place)
        for line, params, values in lines
        if line == name and _same_zone(params, place)
        for value in values.split(",")
    ]


def _same_zone(params: str, place: Zone) -> bool:
    tzid = re.search(r";TZID=([^;]+)", params, re.IGNORECASE)
    if tzid is not None and tzid[1] != place.key:
        raise _wrong(f"TZID={tzid[1][:40]} beside {place.key}", "write all times in one zone")
    return True


def _time(value: str, place: Zone) -> int:
    """A written time as seconds of the wall of a zone."""
    match = _TIME.fullmatch(value)
    if match is None:
        raise _wrong(f"no time {value[:40]!r}", "write 20260101T090000")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        at = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  (a wall time)
    except ValueError as error:
        raise _wrong(f"no time {value[:40]!r}", "such a time does not exist") from error
    if not match[7]:
        return wall_seconds(at)
    instant = (at.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1)
    return instant + place.offset(instant)


def _parts(rule: str, place: Zone) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in filter(None, rule.upper().split(";")):
        name, _, value = part.partition("=")
        parts[name] = value
    if parts.get("FREQ") not in (*_PERIOD_S, *_SLOW):
        raise _wrong("a rule without FREQ", f"use one of {', '.join((*_PERIOD_S, *_SLOW))}")
    for name in ("COUNT", "INTERVAL"):
        if name in parts and not (parts[name].isdigit() and 1 <= int(parts[name][:9]) <= MAX_COUNT):
            raise _wrong(f"{name}={parts[name][:20]}", f"write 1 to {MAX_COUNT}")
    if parts.get("UNTIL", "").endswith("Z"):
        parts["UNTIL"] = wall(_time(parts["UNTIL"], place)).strftime("%Y%m%dT%H%M%S")
    return parts


def _dateutil(parts: dict[str, str], start: datetime) -> Any:
    try:
        from dateutil.rrule import rrulestr  # noqa: PLC0415  (an optional dependency)
    except ImportError as error:
        raise ScheduleInvalid(
            "schedule.extra_missing",
            "rules of RFC 5545 need python-dateutil",
            hint="install z4j-core[rrule]",
            pointer="/text",
        ) from error
    try:
        return rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=start)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(f"not a rule: {error}", "see RFC 5545, section 3.3.10") from error


def _wrong(what: str, hint: str) -> ScheduleInvalid:
    return ScheduleInvalid("schedule.bounds", what, hint=hint, pointer="/text")
