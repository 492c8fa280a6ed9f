"""Wall times made instants. The rule: what a gap swallows and a fold repeats is the policy's say.

A gap is a stretch of wall time that does not exist, a fold one that exists twice. A rule that
speaks of wall times is told to the zone here, whatever the rule is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from ..errors import ScheduleInvalid
from .slots import DAY_S, EARLIEST_S, HORIZON_S, LATEST_S, Slot, Timing, wall
from .zone import Segment, Zone

_MARGIN_S = 3 * DAY_S


class Dst(NamedTuple):
    """What becomes of wall times in a gap and in a fold.

    `gap` is `after` (the first instant behind it), `shift` (moved by its length) or `skip`.
    `fold` and `fold_wild` are `first`, `last` or `both`, for rules at fixed times and for those
    whose minute or hour is a wildcard.
    """

    gap: str
    fold: str
    fold_wild: str


DST: Mapping[str, Dst] = {
    "cron": Dst("after", "first", "both"),
    "first": Dst("shift", "first", "first"),
    "both": Dst("after", "both", "both"),
    "skip": Dst("skip", "first", "first"),
    "literal": Dst("skip", "both", "both"),
}
_GAPS = ("after", "shift", "skip")
_FOLDS = ("first", "last", "both")


def dst_of(value: Any) -> Dst:
    """A policy from its name or from `{gap, fold}`.

    Raises:
        ScheduleInvalid: schedule.bounds
    """
    if isinstance(value, str) and value in DST:
        return DST[value]
    if isinstance(value, Mapping) and set(value) == {"gap", "fold"}:
        gap, fold = value["gap"], value["fold"]
        if gap in _GAPS and fold in _FOLDS:
            return Dst(gap, fold, fold)
    raise ScheduleInvalid(
        "schedule.bounds",
        f"no policy for daylight saving time {str(value)[:60]!r}",
        hint=f"use one of {', '.join(DST)}, or an object with gap ({', '.join(_GAPS)}) and fold "
        f"({', '.join(_FOLDS)})",
        pointer="/dst",
    )


def dst_json(dst: Dst) -> str | dict[str, str]:
    """The shortest way to write a policy."""
    for name, known in DST.items():
        if known == dst:
            return name
    return {"gap": dst.gap, "fold": dst.fold}


class Nominals(Protocol):
    """A rule that speaks of wall times, in seconds of the wall since 1970-01-01T00:00 on it.

    `wildcard` is true when every real minute or hour counts; `daily` when its hour is nonetheless
    a fixed one, so that a date without any slot is a loss.
    """

    @property
    def wildcard(self) -> bool: ...
    @property
    def daily(self) -> bool: ...
    def after(self, local_s: int) -> int | None: ...
    def before(self, local_s: int) -> int | None: ...


class Wall(Timing):
    """Nominal wall times of a rule as slots of a zone."""

    __slots__ = ("dst", "fold", "nominals", "zone")

    def __init__(self, nominals: Nominals, zone: Zone, dst: Dst) -> None:
        self.nominals = nominals
        self.zone = zone
        self.dst = dst
        self.fold = dst.fold_wild if nominals.wildcard else dst.fold

    def next(self, after_ms: int) -> Slot | None:
        found = self._next(after_ms)
        return None if found is None else self._slot(*found)

    def next_ms(self, after_ms: int) -> int | None:
        """The instant of the next slot alone, ms since the epoch."""
        found = self._next(after_ms)
        return None if found is None else found[1] * 1000

    def _next(self, after_ms: int) -> tuple[Segment, int, str] | None:
        """The segment of the next slot, its second, and its note."""
        after = max(after_ms // 1000, EARLIEST_S)
        limit = min(after + HORIZON_S, LATEST_S - 1)
        segment = self.zone.segment(after + 1)
        while segment.start <= limit:
            real = self._first(segment, after)
            moved = self._moved(segment)
            if moved is not None and moved > after and (real is None or moved < real):
                return segment, moved, "gap"
            if real is None:
                return None
            if real < self._end(segment):
                return segment, real, ""
            # Nothing nominal lies between here and `real`: no border until shortly before it.
            segment = self.zone.segment(max(segment.end, real - _MARGIN_S))
        return None

    def prev(self, before_ms: int) -> Slot | None:
        before = min(-(-before_ms // 1000), LATEST_S)
        limit = max(before - HORIZON_S, EARLIEST_S)
        segment = self.zone.segment(before - 1)
        while segment.end > limit:
            real = self._last(segment, before)
            moved = self._moved(segment)
            if moved is not None and moved < before and (real is None or moved > real):
                return self._slot(segment, moved, "gap")
            if real is not None and real >= self._start(segment):
                return self._slot(segment, real)
            if real is None:
                return None
            segment = self.zone.segment(segment.start - 1)
        return None

    def _first(self, segment: Segment, after: int) -> int | None:
        """The first nominal from here on, as an instant of this segment or beyond its end."""
        low = max(after, self._start(segment) - 1)
        local = self.nominals.after(low + segment.offset)
        return None if local is None else local - segment.offset

    def _last(self, segment: Segment, before: int) -> int | None:
        high = min(before, self._end(segment))
        local = self.nominals.before(high + segment.offset)
        return None if local is None else local - segment.offset

    def _start(self, segment: Segment) -> int:
        return segment.start + (segment.fold if self.fold == "first" else 0)

    def _end(self, segment: Segment) -> int:
        return segment.end - (segment.repeat if self.fold == "last" else 0)

    def _moved(self, segment: Segment) -> int | None:
        """The instant that stands for what the gap at the start of a segment swallowed."""
        if not segment.gap or self.dst.gap == "skip":
            return None
        low = segment.start + segment.before
        lost = self._swallowed(low, low + segment.gap)
        if lost is None:
            return None
        if self.dst.gap == "shift":
            return lost - segment.before
        if self.nominals.wildcard and not self._whole_date_lost(low, low + segment.gap):
            return None
        return segment.start

    def _swallowed(self, low: int, high: int) -> int | None:
        """The first nominal of a gap, but for dates that do not exist at all."""
        local = self.nominals.after(low - 1)
        while local is not None and local < high:
            day = local - local % DAY_S
            if not low <= day <= day + DAY_S <= high:
                return local
            local = self.nominals.after(day + DAY_S - 1)
        return None

    def _whole_date_lost(self, low: int, high: int) -> bool:
        """Whether a gap swallows all nominals of a date that exists."""
        if not self.nominals.daily:
            return False
        local = self._swallowed(low, high)
        while local is not None and local < high:
            day = local - local % DAY_S
            first, last = self.nominals.after(day - 1), self.nominals.before(day + DAY_S)
            exists = not low <= day <= day + DAY_S <= high
            if exists and first is not None and last is not None and low <= first <= last < high:
                return True
            local = self.nominals.after(day + DAY_S - 1)
        return False

    def _slot(self, segment: Segment, at: int, note: str = "") -> Slot:
        fold = 1 if at - segment.start < segment.fold else 0
        local = wall(at + segment.offset).isoformat()
        return Slot(at * 1000, local, fold, note or ("fold2" if fold else ""))
