"""Fires through the brain. The rule: a slot is named, and nothing else.

The brain sends the fire to an agent of the group, with the arguments of its own row; whether it may
run is decided by the policy of the app. Asked twice for one slot the brain answers for the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from z4j_core.errors import EngineUnavailable, Indeterminate, StoreUnavailable
from z4j_core.invoke import Outcome
from z4j_core.model.tasks import Job
from z4j_core.scheduler.leader import End, FireFact, Found
from z4j_core.scheduler.leases.calls import Answer, Op, Status
from z4j_core.scheduler.snapshot import Snapshot

from .lines import Lines
from .store import CentralStore

REFUSED, NO_AGENT, INDETERMINATE = -5, -6, -7
"""Statuses of op 11 beside those of every operation."""
NOT_FIRED = "schedule.not_fired"


class AskFor(Protocol):
    """Asks the brain and waits at most `timeout_s` seconds."""

    def __call__(self, op: int, args: Sequence[Any], timeout_s: float) -> Answer: ...


class Delivery:
    """What a leader is handed in this process: `scheduler.leader.contract.Host`."""

    def __init__(
        self,
        held: Callable[[], Snapshot | None],
        store: CentralStore,
        ask: AskFor,
        lines: Lines,
        note: Callable[[str, str], object],
        refresh: Callable[[], object],
    ) -> None:
        self._held = held
        self._store = store
        self._ask = ask
        self._lines = lines
        self._note = note
        self._refresh = refresh

    def snapshot(self) -> Snapshot | None:
        """The newest proven schedules."""
        return self._held()

    def tell(self, fact: FireFact) -> None:
        """Keep a line for the brain."""
        self._lines.add(fact)

    def note(self, code: str, text: str, *, is_over: bool = False) -> None:
        """Tell operators of trouble, or that it is over."""
        del is_over  # its words say it
        self._note(code, text)

    def brain_ms(self) -> int | None:
        """None: the store is the brain itself, whose clock is no second witness."""
        return None

    def refresh(self) -> None:
        """Ask the brain anew how far schedules have come."""
        self._refresh()

    def place(self, job: Job, enq: int, deadline_s: float) -> Outcome:
        """Have one slot fired within `deadline_s` seconds."""
        del enq  # the brain numbers the commands of a slot itself
        lease, slot = self._store.lease, self._store.slots.get(job.id or "")
        if lease is None or slot is None:
            return Outcome(code=EngineUnavailable.code, detail="the lease is over")
        try:
            answer = self._ask(Op.FIRE, [lease.owner, lease.epoch, *slot], deadline_s)
        except StoreUnavailable as error:
            return Outcome(code=Indeterminate.code, detail=str(error))
        return outcome_of(answer)

    def end(self, fire_id: str, how: End) -> None:
        """Nothing: to end a run is not for the key of a scheduler; it is waited for."""

    def fetch(self, fire_id: str) -> Found:
        """Unknown here: the brain looks before it sends a slot a second time."""
        return Found.UNKNOWN


def outcome_of(answer: Answer) -> Outcome:
    """What the brain's answer to op 11 means for a leader."""
    said = str(answer.values[0]) if answer.values else ""
    if answer.status == Status.OK:
        return Outcome()
    if answer.status in (NO_AGENT, Status.HELD):
        return Outcome(code=EngineUnavailable.code, detail=said)
    if answer.status == REFUSED:
        is_code = "." in said and " " not in said
        return Outcome(code=said if is_code else NOT_FIRED, detail=said)
    return Outcome(code=Indeterminate.code, detail=said)
