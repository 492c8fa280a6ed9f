"""When a stored schedule fires next. The rule: the code that leads decides it, not a copy of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.build import build
from z4j_core.scheduler.slots import Slot
from z4j_core.scheduler.trigger import Trigger
from z4j_core.scheduler.workdays import DaysOff

from .written import context_of, definition_of

SETTLE_MS = 60_000
"""How long after the grace a slot may stay untold before the schedule is silent."""


class Next(NamedTuple):
    """The next slot, when it is due, and the trigger in words."""

    slot: Slot | None
    due_ms: int | None
    words: str


def trigger_of(row: Any, days: Mapping[str, DaysOff]) -> Trigger | None:
    """The trigger of a row; None where it cannot be built here any more."""
    try:
        return build(definition_of(row).trigger, context_of(row, days))
    except ScheduleInvalid:
        return None


def floor_ms(row: Any) -> int | None:
    """Slots up to here are settled or not this schedule's; None: nothing fires."""
    if not row.enabled or (row.paused and row.paused_until_ms is None):
        return None
    seen = [row.effective_ms, row.not_before_ms]
    if row.last_slot_ms is not None and row.last_generation == row.generation:
        seen.append(row.last_slot_ms)
    if row.paused:
        seen.append(row.paused_until_ms)
    return max(map(int, seen))


def max_fires(row: Any) -> int | None:
    """How often a generation of a row may fire; None for any number."""
    return definition_of(row).trigger.max_fires


def next_of(row: Any, days: Mapping[str, DaysOff], now_ms: int, *, is_spent: bool = False) -> Next:
    """When a row fires next, from now on; never when it is spent."""
    trigger = trigger_of(row, days)
    if trigger is None:
        return Next(None, None, "")
    floor = None if is_spent else floor_ms(row)
    slot = None if floor is None else trigger.next(max(floor, now_ms))
    due_ms = None if slot is None else trigger.due_ms(slot, row.id)
    return Next(slot, due_ms, trigger.explain())


def watch_ms(row: Any, days: Mapping[str, DaysOff]) -> int | None:
    """When the next slot becomes one that nobody told of, or a pause ends; None for neither."""
    trigger, floor = trigger_of(row, days), floor_ms(row)
    if trigger is None or floor is None:
        return None
    if row.paused:
        return int(row.paused_until_ms)
    slot = trigger.next(floor)
    if slot is None:
        return None
    grace_ms = definition_of(row).rules.grace_s * 1000
    return trigger.due_ms(slot, row.id) + grace_ms + SETTLE_MS
