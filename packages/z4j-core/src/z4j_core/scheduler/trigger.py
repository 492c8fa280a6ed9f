"""A trigger: rules joined, slots taken out, and bounds. The rule: what drops a slot is looked past.

Slots of several rules at one instant are one slot. When a slot is due is another question than
where it is: jitter and windows move the due time and never the slot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from .blackouts import Blackout, judge
from .slots import Slot, Timing
from .workdays import MAX_DROPPED


class Due(NamedTuple):
    """A slot and when to act on it."""

    slot: Slot
    due_ms: int


class Joined(Timing):
    """The slots of several timings, equal instants once."""

    __slots__ = ("_timings",)

    def __init__(self, timings: tuple[Timing, ...]) -> None:
        self._timings = timings

    def next(self, after_ms: int) -> Slot | None:
        found = [slot for t in self._timings if (slot := t.next(after_ms)) is not None]
        return min(found, key=_instant, default=None)

    def prev(self, before_ms: int) -> Slot | None:
        found = [slot for t in self._timings if (slot := t.prev(before_ms)) is not None]
        return max(found, key=_instant, default=None)


class Without(Timing):
    """The slots of a timing that no other timing contains."""

    __slots__ = ("_excluded", "_timing")

    def __init__(self, timing: Timing, excluded: tuple[Timing, ...]) -> None:
        self._timing = timing
        self._excluded = excluded

    def next(self, after_ms: int) -> Slot | None:
        for _ in range(MAX_DROPPED):
            slot = self._timing.next(after_ms)
            if slot is None or not any(t.contains(slot.at_ms) for t in self._excluded):
                return slot
            after_ms = slot.at_ms
        return None

    def prev(self, before_ms: int) -> Slot | None:
        for _ in range(MAX_DROPPED):
            slot = self._timing.prev(before_ms)
            if slot is None or not any(t.contains(slot.at_ms) for t in self._excluded):
                return slot
            before_ms = slot.at_ms
        return None


@dataclass(frozen=True, slots=True)
class Trigger(Timing):
    """Everything that decides the slots of a schedule. Immutable; shared between threads.

    `start_ms` and `end_ms` are inclusive. `said` is asked for what it does in plain words, which
    few ever want to know.
    """

    timing: Timing
    blackouts: tuple[Blackout, ...] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    jitter_ms: int = 0
    jitter_mode: str = "slot"
    said: Callable[[], str] = field(default=str, compare=False)

    def next(self, after_ms: int) -> Slot | None:
        if self.start_ms is not None:
            after_ms = max(after_ms, self.start_ms - 1)
        for _ in range(MAX_DROPPED):
            slot = self.timing.next(after_ms)
            if slot is None or (self.end_ms is not None and slot.at_ms > self.end_ms):
                return None
            if not self.blackouts:
                return slot
            verdict = judge(self.blackouts, slot.at_ms)
            if verdict.due_ms == slot.at_ms:
                return slot
            if verdict.due_ms is not None:
                last = self._last_deferred(slot, verdict.due_ms)
                if last.at_ms > after_ms:
                    return last
            after_ms = max(verdict.until_ms - 1, slot.at_ms)
        return None

    def prev(self, before_ms: int) -> Slot | None:
        if self.end_ms is not None:
            before_ms = min(before_ms, self.end_ms + 1)
        for _ in range(MAX_DROPPED):
            slot = self.timing.prev(before_ms)
            if slot is None or (self.start_ms is not None and slot.at_ms < self.start_ms):
                return None
            if not self.blackouts:
                return slot
            verdict = judge(self.blackouts, slot.at_ms)
            if verdict.due_ms == slot.at_ms:
                return slot
            if verdict.due_ms is not None and self._last_deferred(slot, verdict.due_ms) == slot:
                return slot
            before_ms = min(verdict.since_ms, slot.at_ms)
        return None

    def due_ms(self, slot: Slot, schedule_id: str) -> int:
        """When to act on a slot: behind a window that defers it, or after its jitter.

        Jitter never reaches the next slot.
        """
        if self.blackouts:
            verdict = judge(self.blackouts, slot.at_ms)
            if verdict.due_ms is not None and verdict.due_ms != slot.at_ms:
                return verdict.due_ms
        if not self.jitter_ms:
            return slot.at_ms
        spread = self._spread(slot, schedule_id)
        if not spread:
            return slot.at_ms
        following = self.next(slot.at_ms)
        return (
            slot.at_ms + spread
            if following is None
            else min(slot.at_ms + spread, following.at_ms - 1)
        )

    def dues(self, after_ms: int, schedule_id: str) -> Iterator[Due]:
        """Slots later than `after_ms` with their due times, oldest first, without end."""
        slot = self.next(after_ms)
        while slot is not None:
            yield Due(slot, self.due_ms(slot, schedule_id))
            slot = self.next(slot.at_ms)

    def next_due_ms(self, after_ms: int, schedule_id: str) -> int | None:
        """When to act on the first slot later than `after_ms`; None where there is none."""
        slot = self.next(after_ms)
        return None if slot is None else self.due_ms(slot, schedule_id)

    def explain(self) -> str:
        """What it does, in plain words."""
        return self.said()

    def _spread(self, slot: Slot, schedule_id: str) -> int:
        said = schedule_id.encode()
        if self.jitter_mode == "slot":
            said += slot.at_ms.to_bytes(8, "big", signed=True)
        digest = blake2b(said, digest_size=8).digest()
        return int.from_bytes(digest, "big") % (self.jitter_ms + 1)

    def _last_deferred(self, slot: Slot, due_ms: int) -> Slot:
        """The latest slot deferred to one end: it stands for all of them."""
        before = due_ms if self.end_ms is None else min(due_ms, self.end_ms + 1)
        for _ in range(MAX_DROPPED):
            last = self.timing.prev(before)
            if last is None or last.at_ms <= slot.at_ms:
                break
            if judge(self.blackouts, last.at_ms).due_ms == due_ms:
                return last
            before = last.at_ms
        return slot


_NOWHERE = (0, Slot(0, ""))
_remember = object.__setattr__
"""What a trigger says does not change by it."""


class SharedTrigger(Trigger):
    """A trigger of many schedules, which all ask the same: it remembers its last answers.

    From where it was asked up to the slot it found there is no other slot; so whoever asks from
    anywhere between gets the same. Two such stretches are kept: to a slot and to the one behind it.
    """

    __slots__ = ("_after", "_before")
    _after: tuple[tuple[int, Slot], tuple[int, Slot]]
    _before: tuple[int, Slot]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _remember(self, "_after", (_NOWHERE, _NOWHERE))
        _remember(self, "_before", _NOWHERE)

    def next(self, after_ms: int) -> Slot | None:
        kept = self._after
        for low, slot in kept:
            if low <= after_ms < slot.at_ms:
                return slot
        found = super().next(after_ms)
        if found is not None:
            _remember(self, "_after", ((after_ms, found), kept[0]))
        return found

    def prev(self, before_ms: int) -> Slot | None:
        high, slot = self._before
        if slot.at_ms < before_ms <= high:
            return slot
        found = super().prev(before_ms)
        if found is not None:
            _remember(self, "_before", (before_ms, found))
        return found


def _instant(slot: Slot) -> int:
    return slot.at_ms
