"""What ran, against what was due. The rule: tasks themselves count, in a store of their own."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from z4j_core.scheduler.fires import fire_id
from z4j_testing.signals import eventually

PLACED = (3, 9)
"""Statuses of a slot that was placed: sent, and sent twice with one copy suppressed."""
SUCCEEDED = 9
"""State of a task."""


class Run(NamedTuple):
    """A task that ran: its id and when, in milliseconds."""

    fire: str
    at: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule of every so many milliseconds, as its books are kept."""

    id: str
    every_ms: int
    since_ms: int

    def slots(self, until_ms):
        """Slot of each fire id that was due after `since_ms` and up to a time."""
        first = self.since_ms // self.every_ms * self.every_ms + self.every_ms
        return {
            fire_id(self.id, 1, slot): slot for slot in range(first, until_ms + 1, self.every_ms)
        }


class Line(NamedTuple):
    """What the brain's history has of a slot."""

    status: int
    count: int
    reason: str | None
    state: int | None


class Books(NamedTuple):
    """Slots that were due; those of them that never ran, and that ran more than once."""

    due: int
    lost: list
    doubled: list
    lags: list


def balance(plans, runs, until_ms):
    """Compare what ran with what was due up to a time."""
    slots = {}
    for plan in plans:
        slots |= plan.slots(until_ms)
    counted = Counter(run.fire for run in runs)
    first = {}
    for run in runs:
        first.setdefault(run.fire, run.at)
    return Books(
        len(slots),
        sorted(slot for fire, slot in slots.items() if fire not in counted),
        sorted(slot for fire, slot in slots.items() if counted[fire] > 1),
        sorted(first[fire] - slot for fire, slot in slots.items() if fire in first),
    )


def history(brain, plan, until_ms):
    """The brain's lines of a schedule up to a time, by slot; no slot stands there twice."""
    rows = brain.rows(
        "SELECT slot_ms, status, count, reason, state FROM fires "
        "WHERE schedule_id = :id AND slot_ms <= :until", id=plan.id, until=until_ms,
    )  # fmt: skip
    found = {slot: Line(*row) for slot, *row in rows}
    assert len(found) == len(rows), "a slot stands there twice"
    return found


def incomplete(brain, plan, until_ms, timeout_s=180.0):
    """Slots that the history does not have as placed and succeeded; it has a while to get them."""
    due = sorted(plan.slots(until_ms).values())

    def missing():
        lines = history(brain, plan, until_ms)
        return [
            (slot, lines.get(slot))
            for slot in due
            if slot not in lines
            or lines[slot].status not in PLACED
            or lines[slot].state != SUCCEEDED
        ]

    try:
        eventually(lambda: not missing(), "the history to be complete", timeout_s)
    except AssertionError:
        return missing()
    return []


def percentile(values, share):
    """A value of a sorted list so that `share` of 100 are not above it."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-len(ordered) * share // 100) - 1)] if ordered else 0
