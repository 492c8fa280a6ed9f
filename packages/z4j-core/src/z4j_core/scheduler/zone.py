"""Time zones as segments of constant offset. The rule: only `utcoffset` is asked, never `dst`."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import ScheduleInvalid
from .slots import DAY_S, EARLIEST_S, LATEST_S

_FIXED = re.compile(r"(?:UTC|GMT)?([+-])(\d{2}):(\d{2})")
_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_UTC = frozenset({"UTC", "Etc/UTC", "Z"})
_LEGACY = frozenset(
    (
        *("EST", "MST", "HST", "CET", "EET", "MET", "WET", "PST", "PDT", "EDT", "CDT", "MDT"),
        *("EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "BST", "IST", "JST", "CST"),
        *("GMT0", "GMT-0", "GMT+0", "localtime", "posixrules", "Factory"),
    )
)
_FAR = 1 << 60


class Segment(NamedTuple):
    """A stretch of UTC seconds, start <= t < end, in which wall = UTC + offset.

    `before` and `after` are the offsets of its neighbours: where they differ from `offset` the
    border is a transition.
    """

    start: int
    end: int
    offset: int
    before: int
    after: int

    @property
    def gap(self) -> int:
        """Seconds the wall jumped forward at `start`, or 0."""
        return max(self.offset - self.before, 0)

    @property
    def fold(self) -> int:
        """Seconds the wall went back at `start`, or 0."""
        return max(self.before - self.offset, 0)

    @property
    def repeat(self) -> int:
        """Seconds the wall will go back at `end`, or 0."""
        return max(self.offset - self.after, 0)


class Zone:
    """One time zone. What it finds is kept by year; it may be shared between threads."""

    __slots__ = ("_last", "_starts", "_tz", "_years", "key")

    def __init__(self, key: str, tz: tzinfo) -> None:
        self.key = key
        self._tz = tz
        self._years: dict[int, tuple[tuple[int, int, int], ...]] = {}
        self._starts: dict[int, int] = {}
        offset = self.offset(0)
        fixed = isinstance(tz, timezone)
        self._last = Segment(-_FAR, _FAR if fixed else -_FAR, offset, offset, offset)

    def offset(self, at_s: int) -> int:
        """Seconds to add to UTC at this instant."""
        there = datetime.fromtimestamp(min(max(at_s, EARLIEST_S), LATEST_S), self._tz).utcoffset()
        return 0 if there is None else int(there.total_seconds())

    def segment(self, at_s: int) -> Segment:
        """The segment this instant is in."""
        last = self._last
        if last.start <= at_s < last.end:
            return last
        self._last = found = self._find(at_s)
        return found

    def local_instants(self, local_s: int) -> list[int]:
        """The instants at which the wall shows this: none in a gap, two in a fold."""
        found = []
        segment = self.segment(local_s - 2 * DAY_S)
        while segment.start <= local_s + 2 * DAY_S:
            at = local_s - segment.offset
            if segment.start <= at < segment.end:
                found.append(at)
            segment = self.segment(segment.end)
        return found

    def _find(self, at_s: int) -> Segment:
        if not EARLIEST_S <= at_s < LATEST_S:
            offset = self.offset(at_s)
            start, end = (LATEST_S, _FAR) if at_s >= LATEST_S else (-_FAR, EARLIEST_S)
            return Segment(start, end, offset, offset, offset)
        year = datetime.fromtimestamp(at_s, UTC).year
        known = [t for y in (year - 1, year, year + 1) for t in self._transitions(y)]
        place = bisect_right(known, at_s, key=lambda t: t[0])
        # Where no transition is near the segment is cut, two days away from where one might be.
        start, end = self._start(year - 1) + 2 * DAY_S, self._start(year + 2) - 2 * DAY_S
        offset = before = after = self.offset(at_s)
        if place:
            start, before, _ = known[place - 1]
        if place < len(known):
            end, _, after = known[place]
        return Segment(start, end, offset, before, after)

    def _start(self, year: int) -> int:
        if year not in self._starts:
            self._starts[year] = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
        return self._starts[year]

    def _transitions(self, year: int) -> tuple[tuple[int, int, int], ...]:
        """Instant, offset before, offset after, of every transition in a year of UTC."""
        if year not in self._years:
            self._years[year] = tuple(self._scan(self._start(year), self._start(year + 1)))
        return self._years[year]

    def _scan(self, start: int, end: int) -> list[tuple[int, int, int]]:
        found = []
        low, was = start - 1, self.offset(start - 1)
        while low < end - 1:
            high = min(low + DAY_S, end - 1)
            now = self.offset(high)
            if now != was:
                at = self._border(low, high)
                found.append((at, was, self.offset(at)))
                high, now = at, self.offset(at)
            low, was = high, now
        return found

    def _border(self, low: int, high: int) -> int:
        """The first instant after `low` whose offset is another."""
        was = self.offset(low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.offset(middle) == was else (low, middle)
        return high


@lru_cache(maxsize=1024)
def zone(key: str) -> Zone:
    """A zone by its IANA key, or `UTC±HH:MM`.

    Raises:
        ScheduleInvalid: schedule.zone
    """
    if key in _UTC:
        return Zone("UTC", UTC)
    if fixed := _FIXED.fullmatch(key):
        return _fixed(key, fixed)
    if key in _LEGACY:
        raise ScheduleInvalid(
            "schedule.zone",
            f"{key} is an abbreviation, not a place",
            hint="name a place, such as America/New_York, or a fixed offset, such as UTC-05:00",
        )
    try:
        return Zone(key, ZoneInfo(key) if _NAME.fullmatch(key) else _unknown(key))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleInvalid(
            "schedule.zone",
            f"no time zone {key[:60]!r}",
            hint="use a key of the IANA database, such as Europe/Berlin, or UTC+02:00",
        ) from error


def _unknown(key: str) -> ZoneInfo:
    raise ZoneInfoNotFoundError(key)


def _fixed(key: str, match: re.Match[str]) -> Zone:
    sign, hours, minutes = match.groups()
    if int(hours) > 15 or int(minutes) > 59:  # noqa: PLR2004  (no wall is farther away)
        raise ScheduleInvalid(
            "schedule.zone", f"{key} is too far from UTC", hint="use UTC-15:59 to UTC+15:59"
        )
    delta = timedelta(hours=int(hours), minutes=int(minutes))
    return Zone(f"UTC{sign}{hours}:{minutes}", timezone(delta if sign == "+" else -delta))
