"""What decides slots, read and built once for all schedules that share it. The rule: one reader.

A trigger that depends on its schedule is built for it; what it is built from is shared even then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..build import Context, build
from ..interval import Interval
from ..kinds import CronSpec, IntervalSpec
from ..moments import every_of
from ..spec import TRIGGER_FIELDS, TriggerSpec, read_trigger
from ..trigger import SharedTrigger, Trigger

SHARED = 8_192
"""How many are kept."""


class Shape:
    """A spec, and the trigger of all schedules that have it; None where each has its own."""

    __slots__ = ("_is_plain", "spec", "trigger")

    def __init__(self, spec: TriggerSpec) -> None:
        self.spec = spec
        depends = spec.calendars or any(_depends(each) for each in (*spec.specs, *spec.exclude))
        self.trigger = None if depends else build(spec, kind=SharedTrigger)
        self._is_plain = _counts_from_creation(spec)

    def trigger_of(self, schedule_id: str, created_ms: int) -> Trigger:
        """The trigger of a schedule that has no calendars.

        Raises:
            ScheduleInvalid: it cannot be built here.
        """
        if self.trigger is not None:
            return self.trigger
        if self._is_plain:
            only: Any = self.spec.specs[0]
            return Trigger(Interval(only.every_ms, created_ms // 1000 * 1000 + only.phase_ms))
        return build(self.spec, Context(schedule_id, created_ms))


def shape_of(row: Mapping[str, Any]) -> Shape:
    """The shape of a row.

    Raises:
        ScheduleInvalid: its trigger cannot be read or built here.
    """
    values = [row.get(name) for name in TRIGGER_FIELDS]
    text = repr(values)
    found = _kept.get(text)
    if found is None:
        found = Shape(read_trigger(dict(zip(TRIGGER_FIELDS, values, strict=True))))
        while len(_kept) >= SHARED:
            _kept.pop(next(iter(_kept), ""), None)
        _kept[text] = found
    return found


_kept: dict[str, Shape] = {}


def _depends(spec: Any) -> bool:
    """Whether slots depend on when the schedule was made, or on its id."""
    if isinstance(spec, IntervalSpec):
        return spec.anchor == "created" or spec.mode != "fixed_rate"
    if isinstance(spec, CronSpec):
        return "H" in spec.expr.upper() or every_of(spec.expr, spec.dialect) is not None
    return False


def _counts_from_creation(spec: TriggerSpec) -> bool:
    """Whether it is an interval since the schedule was made, and nothing else."""
    only = spec.specs[0]
    return (
        isinstance(only, IntervalSpec)
        and (only.anchor, only.mode) == ("created", "fixed_rate")
        and spec == TriggerSpec((only,), max_fires=spec.max_fires)
    )
