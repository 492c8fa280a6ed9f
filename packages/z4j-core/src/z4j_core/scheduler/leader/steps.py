"""From decisions to steps. The rule: each slot a plan names becomes a fire with a fate.

Steps come in order; of a schedule one claim is made at a time, so a step that claims ends a turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from ...model.fires import Status, Why
from ..policy import Decision
from .contract import End
from .record import FIRE, TELL, WAIT, Fire, fire_of

_TOLD = {"skip": Status.SKIPPED, "missed": Status.MISSED, "expire": Status.EXPIRED}
_ENDS = {"cancel": End.CANCEL, "terminate": End.TERMINATE}


class Ending(NamedTuple):
    """A run that is ended before what follows."""

    fire_id: str
    how: End


Step: TypeAlias = Fire | Ending


@dataclass(slots=True)
class Work:
    """What is left to do for one schedule, and the row it was planned by.

    `until` seconds of the boot clock are waited for `awaited` runs to end.
    """

    schedule: str
    data: bytes
    steps: deque[Step] = field(default_factory=deque)
    awaited: set[str] = field(default_factory=set)
    until: float = 0.0


def steps_of(
    decisions: Sequence[Decision], base: Fire, buffered: Mapping[int, Fire]
) -> deque[Step]:
    """Steps for decisions about one schedule.

    `base` is what all fires of it have in common; `buffered` are those claimed and waiting, by
    slot. What is only told is claimed too where nothing behind it is, so that the cursor passes it;
    not where `max_fires` counts claims.
    """
    steps: deque[Step] = deque()
    for decision in decisions:
        step = _step(decision, base, buffered)
        if step is not None:
            steps.append(step)
    told = [
        step for step in steps if isinstance(step, Fire) and step.kind == TELL and not step.since_ms
    ]
    last = max(told, key=lambda fire: fire.cursor_ms, default=None)
    if last is None or base.max_fires is not None:
        return steps
    claimed = [step for step in steps if isinstance(step, Fire) and step.needs_claim]
    if all(fire.cursor_ms < last.cursor_ms for fire in claimed):
        last.claims_cursor = True
        steps.remove(last)
        steps.append(last)
    return steps


def _step(decision: Decision, base: Fire, buffered: Mapping[int, Fire]) -> Step | None:
    if decision.action in _ENDS:
        return Ending(decision.fire_id, _ENDS[decision.action])
    slot = decision.slot
    if slot is None:
        return None
    if slot.at_ms in buffered:
        kept = buffered[slot.at_ms]
        if decision.action == "fire":
            return kept
        return replace(kept, kind=TELL, status=Status.SKIPPED, reason=decision.reason)
    why = Why.CATCHUP if decision.reason == "catchup" else Why.TIMER
    fire = fire_of(base.schedule, base.generation, base.revision, slot, why)
    fire.max_fires = base.max_fires
    fire.due_ms = decision.due_ms or slot.at_ms
    if decision.action in _TOLD:
        return _told(decision, fire)
    fire.kind = WAIT if decision.action == "buffer" else FIRE
    fire.reason = decision.reason if decision.action == "buffer" else None
    return fire


def _told(decision: Decision, fire: Fire) -> Fire:
    fire.kind, fire.status, fire.reason = TELL, _TOLD[decision.action], decision.reason
    fire.ends_ms = max(decision.last_ms, fire.slot.at_ms)
    if decision.action == "missed":
        fire.count = decision.slots
        more = ", and more" if decision.more else ""
        fire.reason = f"{decision.reason}, the last {decision.last_ms}{more}"
    return fire
