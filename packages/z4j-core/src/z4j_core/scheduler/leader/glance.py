"""When a row is due, without reading all of it. The rule: the same trigger as `parse` gives.

A leader that begins looks at every schedule once. What decides slots is read by the same functions;
triggers that do not depend on their schedule are made once for all that share them.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ..build import Context, build
from ..document import read_replica
from ..interval import Interval
from ..kinds import CronSpec, IntervalSpec
from ..moments import every_of
from ..policy import Schedule
from ..rules import Rules
from ..spec import TriggerSpec, read_trigger
from ..trigger import Trigger

_FIELDS = (
    "specs", "exclude", "calendars", "blackouts", "start_at", "end_at", "max_fires", "jitter_s",
    "jitter_mode",
)  # fmt: skip
_RULES = Rules()
_SHARED = 4_096


def glance(data: bytes) -> tuple[int, Schedule]:
    """Generation of a row, and what tells when it is due; its rules are not read.

    Raises:
        ScheduleInvalid: its trigger cannot be built here.
    """
    row = json.loads(data)
    if row["calendars"]:
        replica = read_replica(data)
        return replica.generation, replica.planned()
    spec, shared = _shared(json.dumps([row[name] for name in _FIELDS]))
    schedule = Schedule(
        row["id"], shared or _own(spec, row), _RULES, row["effective_ms"], row["not_before_ms"],
        row["enabled"], row["paused"], row["paused_until_ms"], row["max_fires"],
    )  # fmt: skip
    return row["generation"], schedule


@lru_cache(_SHARED)
def _shared(text: str) -> tuple[TriggerSpec, Trigger | None]:
    """What decides slots, and its trigger where that is the same for every schedule."""
    spec = read_trigger(dict(zip(_FIELDS, json.loads(text), strict=True)))
    depends = any(_depends(each) for each in (*spec.specs, *spec.exclude))
    return spec, None if depends else build(spec)


def _depends(spec: Any) -> bool:
    """Whether slots depend on when the schedule was made, or on its id."""
    if isinstance(spec, IntervalSpec):
        return spec.anchor == "created" or spec.mode != "fixed_rate"
    if isinstance(spec, CronSpec):
        return "H" in spec.expr.upper() or every_of(spec.expr, spec.dialect) is not None
    return False


def _own(spec: TriggerSpec, row: Any) -> Trigger:
    only = spec.specs[0]
    plain = len(spec.specs) == 1 and not (spec.exclude or spec.blackouts or spec.jitter_s)
    if plain and isinstance(only, IntervalSpec) and (only.anchor, only.mode) == _CREATED:
        start = row["created_ms"] // 1000 * 1000 + only.phase_ms
        if spec.start_at is None and spec.end_at is None:
            return Trigger(Interval(only.every_ms, start))
    return build(spec, Context(row["id"], row["created_ms"]))


_CREATED = ("created", "fixed_rate")
