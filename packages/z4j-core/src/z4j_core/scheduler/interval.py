"""Slots by absolute time. The rule: a grid is computed, never stepped along, and does not drift."""

from __future__ import annotations

from .slots import DAY_S, EARLIEST_S, HORIZON_S, LATEST_S, Slot, Timing, utc_slot, wall
from .zone import Zone


class Interval(Timing):
    """`start + k * every` for k >= 0, in whole milliseconds."""

    __slots__ = ("every_ms", "start_ms")

    def __init__(self, every_ms: int, start_ms: int) -> None:
        self.every_ms = every_ms
        self.start_ms = start_ms

    def next(self, after_ms: int) -> Slot | None:
        at = self.next_ms(after_ms)
        return None if at is None else utc_slot(at)

    def next_ms(self, after_ms: int) -> int | None:
        """The instant of the next slot alone, ms since the epoch."""
        periods = max((after_ms - self.start_ms) // self.every_ms + 1, 0)
        at = self.start_ms + periods * self.every_ms
        return at if at - after_ms <= HORIZON_S * 1000 and _exists(at) else None

    def prev(self, before_ms: int) -> Slot | None:
        before_ms = min(before_ms, LATEST_S * 1000)
        if before_ms <= self.start_ms:
            return None
        periods = (before_ms - 1 - self.start_ms) // self.every_ms
        return utc_slot(self.start_ms + periods * self.every_ms)


class FixedDelay(Timing):
    """One period after the last run ended, or the first slot where none has.

    `ended_ms` is what the tracking of runs knows; a run that goes on has no next slot.
    """

    __slots__ = ("_slot",)

    def __init__(self, every_ms: int, start_ms: int, ended_ms: int | None) -> None:
        self._slot = utc_slot(start_ms if ended_ms is None else ended_ms + every_ms)

    def next(self, after_ms: int) -> Slot | None:
        return self._slot if self._slot.at_ms > after_ms else None

    def prev(self, before_ms: int) -> Slot | None:
        return self._slot if self._slot.at_ms < before_ms else None


class Once(Timing):
    """A single slot, or none where its wall time is on a date that does not exist."""

    __slots__ = ("slot",)

    def __init__(self, slot: Slot | None) -> None:
        self.slot = slot

    def next(self, after_ms: int) -> Slot | None:
        return self.slot if self.slot is not None and self.slot.at_ms > after_ms else None

    def prev(self, before_ms: int) -> Slot | None:
        return self.slot if self.slot is not None and self.slot.at_ms < before_ms else None


def wall_slot(local_s: int, zone: Zone, fold: int = 0) -> Slot | None:
    """The slot of one wall time.

    Of two equal ones `fold` chooses; what a gap swallows is the first instant behind it; a date
    that does not exist has none.
    """
    instants = zone.local_instants(local_s)
    if instants:
        second = len(instants) > 1 and fold == 1
        at = instants[-1] if second else instants[0]
        local = wall(local_s).isoformat()
        return Slot(at * 1000, local, int(second), "fold2" if second else "")
    segment = zone.segment(local_s - 2 * DAY_S)
    while local_s >= segment.end + segment.after:
        segment = zone.segment(segment.end)
    low, high = segment.end + segment.offset, segment.end + segment.after
    day = local_s - local_s % DAY_S
    if low <= day and day + DAY_S <= high:
        return None
    return Slot(segment.end * 1000, wall(high).isoformat(), 0, "gap")


def _exists(at_ms: int) -> bool:
    return EARLIEST_S * 1000 <= at_ms < LATEST_S * 1000
