"""When a row is due, without reading all of it. The rule: the same trigger as `parse` gives.

A leader that begins looks at every schedule once. What decides slots is read by the same functions.
"""

from __future__ import annotations

from ..document import decoded, replica_of
from ..policy import Schedule
from ..rules import Rules
from .shapes import shape_of

_RULES = Rules()


def glance(data: bytes) -> tuple[int, Schedule]:
    """Generation of a row, and what tells when it is due; its rules are not read.

    Raises:
        ScheduleInvalid: its trigger cannot be built here.
    """
    row = decoded(data)
    shape = shape_of(row)
    if shape.spec.calendars:
        replica = replica_of(row, shape.spec)
        return replica.generation, replica.planned()
    name, told = row["id"], row.get
    trigger = shape.trigger or shape.trigger_of(name, row["created_ms"])
    schedule = Schedule(
        name, trigger, _RULES, row["effective_ms"], told("not_before_ms", 0),
        row.get("enabled") is not False, bool(told("paused")), told("paused_until_ms"),
        told("max_fires"),
    )  # fmt: skip
    return row["generation"], schedule
