"""Slots on business days alone. The rule: a slot that moves keeps its time of day.

A calendar is a set of days off. A slot on one is skipped, or moved to the next or the previous
day that no calendar has off; slots that meet there are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from .interval import wall_slot
from .slots import DAY_S, Slot, Timing
from .zone import Zone

MAX_DROPPED = 10_000
_FAR_DAYS = 31
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class DaysOff:
    """A named set of days off: dates, and days of the week with Sunday as 0."""

    dates: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset()

    def __contains__(self, day: date) -> bool:
        return day in self.dates or day.isoweekday() % 7 in self.weekend


class OnWorkdays(Timing):
    """The slots of a timing, with those on days off skipped or moved.

    `calendars` are pairs of days off and what a hit does; the first that is hit decides.
    """

    __slots__ = ("_back", "_calendars", "_on", "_timing", "_zone")

    def __init__(
        self, timing: Timing, calendars: tuple[tuple[DaysOff, str], ...], zone: Zone
    ) -> None:
        self._timing = timing
        self._calendars = calendars
        self._zone = zone
        self._on = any(on_hit == "next_business_day" for _, on_hit in calendars)
        self._back = any(on_hit == "previous_business_day" for _, on_hit in calendars)

    def next(self, after_ms: int) -> Slot | None:
        best: Slot | None = None
        slot = self._timing.next(self._from(after_ms))
        for _ in range(MAX_DROPPED):
            if slot is None:
                return best
            day = self._day(slot.at_ms)
            # Only what moves back from a day off could still come before it.
            if best is not None and slot.at_ms >= best.at_ms and self._decided(best, slot):
                return best
            moved = self._moved(slot, day)
            if (
                moved is not None
                and moved.at_ms > after_ms
                and (best is None or moved.at_ms < best.at_ms)
            ):
                best = moved
            at = slot.at_ms if self._moves(day) or self._open(day) else self._midnight(day + 1) - 1
            slot = self._timing.next(at)
        return best

    def prev(self, before_ms: int) -> Slot | None:
        best: Slot | None = None
        slot = self._timing.prev(self._upto(before_ms))
        for _ in range(MAX_DROPPED):
            if slot is None:
                return best
            day = self._day(slot.at_ms)
            # Only what moves on from a day off could still come behind it.
            if best is not None and slot.at_ms <= best.at_ms and self._decided(best, slot):
                return best
            moved = self._moved(slot, day)
            if (
                moved is not None
                and moved.at_ms < before_ms
                and (best is None or moved.at_ms > best.at_ms)
            ):
                best = moved
            at = slot.at_ms if self._moves(day) or self._open(day) else self._midnight(day)
            slot = self._timing.prev(at)
        return best

    def _from(self, after_ms: int) -> int:
        """Where to look from: slots of days off before it may move behind it."""
        day = self._day(after_ms)
        first = self._run_start(day)
        if not self._on or (first == day and self._open(day)):
            return after_ms
        return min(after_ms, self._midnight(first) - 1)

    def _upto(self, before_ms: int) -> int:
        """Up to where to look: slots of days off behind it may move before it."""
        day = self._day(before_ms)
        last = self._run_end(day)
        if not self._back or (last == day and self._open(day)):
            return before_ms
        return max(before_ms, self._midnight(last + 1))

    def _decided(self, best: Slot, slot: Slot) -> bool:
        """Whether no slot beyond `slot` can be moved past `best`: a day between them is open."""
        first, last = self._day(best.at_ms), self._day(slot.at_ms)
        if slot.at_ms >= best.at_ms and not self._back:
            return True
        if slot.at_ms <= best.at_ms and not self._on:
            return True
        if first <= last:
            return self._open_within(first + 1, last)
        return self._open_within(last, first - 1)

    def _open_within(self, first: int, last: int) -> bool:
        """Whether a day from `first` to `last` is no day off; past a month it is taken as so."""
        return last - first > _FAR_DAYS or any(self._open(day) for day in range(first, last + 1))

    # -------------------------------------------------------- days

    def _day(self, at_ms: int) -> int:
        """The ordinal of the local date of an instant."""
        at = at_ms // 1000
        return (at + self._zone.offset(at)) // DAY_S + _EPOCH_DAY

    def _midnight(self, ordinal: int) -> int:
        """The first instant of a local date, or of the first one behind it that exists."""
        slot = None
        while slot is None:
            slot = wall_slot((ordinal - _EPOCH_DAY) * DAY_S, self._zone)
            ordinal += 1
        return slot.at_ms

    def _open(self, ordinal: int) -> bool:
        day = date.fromordinal(ordinal)
        return not any(day in calendar for calendar, _ in self._calendars)

    def _moves(self, ordinal: int) -> bool:
        return self._on_hit(ordinal) not in ("", "skip")

    def _on_hit(self, ordinal: int) -> str:
        day = date.fromordinal(ordinal)
        return next((on_hit for calendar, on_hit in self._calendars if day in calendar), "")

    def _run_start(self, ordinal: int) -> int:
        """The first day off of the run that ends at or before this day."""
        return self._walk(ordinal, -1)

    def _run_end(self, ordinal: int) -> int:
        return self._walk(ordinal, 1)

    def _walk(self, ordinal: int, step: int) -> int:
        for _ in range(_FAR_DAYS):
            if self._open(ordinal + step):
                break
            ordinal += step
        return ordinal

    def _moved(self, slot: Slot, day: int) -> Slot | None:
        on_hit = self._on_hit(day)
        if on_hit in ("", "skip"):
            return None if on_hit else slot
        step = 1 if on_hit == "next_business_day" else -1
        target = next(
            (d for d in range(day + step, day + step * (_FAR_DAYS + 1), step) if self._open(d)),
            None,
        )
        if target is None:
            return None
        at = slot.at_ms // 1000
        time_of_day = (at + self._zone.offset(at)) % DAY_S
        moved = wall_slot((target - _EPOCH_DAY) * DAY_S + time_of_day, self._zone)
        return (
            None
            if moved is None
            else moved._replace(at_ms=moved.at_ms + slot.at_ms % 1000, note="calendar")
        )
