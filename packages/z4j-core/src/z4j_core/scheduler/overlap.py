"""Fires against runs that go on. The rule: no more run at once than the schedule allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .rules import Rules
from .slots import Slot

BUFFERED = 100


class Fate(NamedTuple):
    """A slot that wants to fire: when, why, and since when it is late."""

    slot: Slot
    due_ms: int
    reason: str
    since_ms: int


class Verdict(NamedTuple):
    """What fires, what waits, what is left out, and which runs are ended first."""

    fired: Sequence[Fate] = ()
    buffered: Sequence[Fate] = ()
    skipped: Sequence[Fate] = ()
    ended: Sequence[str] = ()


def allowed(queue: Sequence[Fate], running: Sequence[str], rules: Rules) -> Verdict:
    """What of a queue, oldest first, may run beside what runs, oldest first."""
    return _OVERLAPS[rules.overlap](queue, running, rules.max_running)


def _allow(queue: Sequence[Fate], _running: Sequence[str], _limit: int) -> Verdict:
    return Verdict(queue)


def _skip(queue: Sequence[Fate], running: Sequence[str], limit: int) -> Verdict:
    free = max(limit - len(running), 0)
    return Verdict(queue[:free], skipped=queue[free:])


def _buffer_one(queue: Sequence[Fate], running: Sequence[str], limit: int) -> Verdict:
    free = max(limit - len(running), 0)
    return Verdict(queue[:free], queue[free:][-1:], queue[free:][:-1])


def _buffer_all(queue: Sequence[Fate], running: Sequence[str], limit: int) -> Verdict:
    free = max(limit - len(running), 0)
    end = free + BUFFERED
    return Verdict(queue[:free], queue[free:end], queue[end:])


def _end_other(queue: Sequence[Fate], running: Sequence[str], limit: int) -> Verdict:
    # What would be ended by a younger slot of the same pass is not begun.
    fired = queue[-limit:]
    surplus = max(len(running) + len(fired) - limit, 0)
    return Verdict(fired, skipped=queue[:-limit], ended=running[:surplus])


_OVERLAPS: Mapping[str, Callable[[Sequence[Fate], Sequence[str], int], Verdict]] = {
    "allow": _allow,
    "skip": _skip,
    "buffer_one": _buffer_one,
    "buffer_all": _buffer_all,
    "cancel_other": _end_other,
    "terminate_other": _end_other,
}
