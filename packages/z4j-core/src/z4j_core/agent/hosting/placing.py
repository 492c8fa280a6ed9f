"""What the process does for the leader of a group. The rule: the local policy is asked each time.

Calls come from threads of the leader, which may wait.
"""

from __future__ import annotations

import contextvars
from collections import OrderedDict
from typing import Any
from uuid import UUID

from ...engine import capabilities
from ...errors import Refused
from ...invoke import Outcome, answered, invoke
from ...model.commands import Capability, Scope
from ...model.fires import Status
from ...model.tasks import Job, TaskState
from ...scheduler.leader.contract import End, FireFact, Found
from ...scheduler.snapshot import Snapshot
from ..boundary import pack
from ..firing import admit
from ..ledger import fire_line
from ..runs import BY_SCHEDULE, ORIGIN, Origin
from .home import Home

FETCH_S = 5.0
_REMEMBERED = 4_000
_ENDED = frozenset(
    {TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED, TaskState.EXPIRED, TaskState.LOST}
)
_HERE = Scope.BROKER | Scope.PROCESS


class Placing:
    """One group's engine, policy and ledger, as `scheduler.leader.contract.Host` wants them."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._of: OrderedDict[str, tuple[str, int]] = OrderedDict()
        """Schedule and slot of the fires that were claimed last."""
        self._names: tuple[object, set[str]] = (None, set())

    def snapshot(self) -> Snapshot | None:
        """The newest proven schedules."""
        return self._home.shelf.held

    def brain_ms(self) -> int | None:
        """The time by the brain's clock."""
        return self._home.brain_ms()

    def refresh(self) -> None:
        """Ask the brain anew how far schedules have come."""
        self._home.refresh()

    def place(self, job: Job, enq: int, deadline_s: float) -> Outcome:
        """Enqueue a job now, if the local policy lets it pass."""
        del enq  # the mark in `job.fire` says it
        try:
            self._admit(job)
        except Refused as error:
            return Outcome(code=error.code, detail=str(error), rule=error.rule)
        return contextvars.copy_context().run(self._enqueue, job, max(0.05, deadline_s))

    def _enqueue(self, job: Job, deadline_s: float) -> Outcome:
        engine = self._home.emitter.engine
        ORIGIN.set(self._origin(job.id or ""))
        loop = getattr(engine, "loop", None)
        return answered(lambda: engine.enqueue(job), timeout_s=deadline_s, loop=loop)

    def end(self, fire_id: str, how: End) -> None:
        """End a run to make room for the next one, as far as engine and policy can and may."""
        engine = self._home.emitter.engine
        offered = capabilities(engine)
        verb = Capability(how.value)
        if verb not in offered or not self._home.policy.decide(how.value).allowed:
            verb = Capability.CANCEL
        if verb not in offered or not self._home.policy.decide(verb.value).allowed:
            return
        call: Any = getattr(engine, verb.value)
        loop = getattr(engine, "loop", None)
        invoke(lambda: call(fire_id, scope=offered[verb] & _HERE), loop=loop)

    def fetch(self, fire_id: str) -> Found:
        """What the engine knows of a fire; one that knows only its own process says nothing."""
        engine = self._home.emitter.engine
        scope = capabilities(engine).get(Capability.FETCH)
        if scope is None or not scope & Scope.BROKER:
            return Found.UNKNOWN
        call: Any = getattr(engine, "fetch")  # noqa: B009 - not every engine has it
        loop = getattr(engine, "loop", None)
        outcome = invoke(lambda: call(fire_id), timeout_s=FETCH_S, loop=loop)
        if outcome.ok:
            return Found.ENDED if outcome.value.state in _ENDED else Found.ALIVE
        return Found.ABSENT if outcome.code == "task.not_found" else Found.UNKNOWN

    def tell(self, fact: FireFact) -> None:
        """Write a line of the ledger."""
        self._of[fact.fire_id] = (fact.schedule, fact.slot_ms)
        while len(self._of) > _REMEMBERED:
            self._of.popitem(last=False)
        line = fire_line(
            self._home.emitter.source,
            fact.at_ms * 1000,
            fact.fire_id,
            Status(fact.status),
            schedule=UUID(fact.schedule).bytes,
            generation=fact.generation,
            slot=fact.slot_ms,
            nonce=fact.nonce,
            trigger=int(fact.trigger),
            epoch=fact.epoch,
            revision=fact.revision,
            due=fact.due_ms * 1000,
            lag_ms=fact.lag_ms,
            enq=min(fact.enq, 0xFFFF),
            count_=fact.count_,
            slot_local=fact.slot_local,
            fold=fact.fold,
            reason=fact.reason[:256] if fact.reason else None,
        )
        self._home.write(pack(line))

    def note(self, code: str, text: str, *, is_over: bool = False) -> None:
        """Tell operators of trouble, or that it is over."""
        self._home.note(code, text, is_over=is_over)

    def _admit(self, job: Job) -> None:
        """Let a fire pass, or not.

        Raises:
            Refused: the local policy says no.
        """
        invocation = (job.task, list(job.args), dict(job.kwargs))
        admit(self._home.policy, self._home.registered, self._known, invocation)

    def _known(self) -> set[str]:
        """Names of the app's tasks, as of the last look."""
        tasks = self._home.emitter.tasks
        if self._names[0] is not tasks:
            self._names = (tasks, {task.name for task in tasks})
        return self._names[1]

    def _origin(self, fire_id: str) -> Origin:
        schedule, slot = self._of.get(fire_id, (None, None))
        return Origin(BY_SCHEDULE, None, None, schedule, UUID(fire_id).bytes, slot)
