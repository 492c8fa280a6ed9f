"""From claims to the engine. The rule: the lease is looked at before every enqueue.

An attempt that nobody knows the end of is looked into before there is another; before an attempt
that is a second one, the store is told its number, so that no later leader uses the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...errors import EngineUnavailable, Indeterminate, StoreError
from ...invoke import Outcome
from ...model.fires import Status
from ...model.tasks import Job
from ..document import Definition
from ..fires import mark
from ..lease import LeaseStore
from .book import Parsed
from .clock import StoreClock
from .contract import ENQUEUE_S, Found
from .fan import Fan
from .guarded import Guarded
from .ledger import Ledger
from .record import TELL, Fire
from .tenure import Tenure

FIRST_AGAIN_S = 1.0
LAST_AGAIN_S = 60.0
LOOKED_INTO = 64
"""How many fires are looked into at a time."""
LOOKED_S = 10.0
"""How long an engine may take to say what it knows of a fire."""
RECOVERED_S = 3_600
"""A fire that was claimed so long ago is not enqueued again."""
_LATE: Outcome | None = Outcome(code=Indeterminate.code, detail=f"no answer within {ENQUEUE_S:g} s")


class _Later(NamedTuple):
    """A fire that is placed again, or first looked into, from a time of the boot clock on."""

    at: float
    number: int
    fire: Fire
    in_doubt: bool


class Placing:
    """Places fires and keeps those that have to be placed again.

    `parsed` finds a schedule, None when it is gone; `going` is false once the loop is to stop.
    """

    def __init__(
        self,
        store: LeaseStore,
        host: Guarded,
        tenure: Tenure,
        ledger: Ledger,
        clock: StoreClock,
        fan: Fan,
    ) -> None:
        self._store = store
        self._host = host
        self._tenure = tenure
        self._ledger = ledger
        self._clock = clock
        self._fan = fan
        self._later: list[_Later] = []
        self._number = 0
        self.waiting: set[str] = set()
        """Fires that are placed again later."""
        self.parsed: Callable[[str], Parsed | None] = lambda _: None
        self.stopped: Callable[[], bool] = lambda: False

    def idle_s(self) -> float | None:
        """Seconds until there is something to do; None for nothing."""
        return self._later[0].at - self._clock.boottime() if self._later else None

    def place(self, fires: Sequence[Fire]) -> None:
        """Place claimed fires of different schedules, once each.

        Raises:
            LeaseLost, StoreUnavailable: what was not placed stays claimed.
        """
        try:
            self._place(fires)
        except StoreError:
            self._leave_doubtful(fires)
            raise

    def _place(self, fires: Sequence[Fire]) -> None:
        ready = []
        for fire in fires:
            parsed = self.parsed(fire.schedule)
            objection = _objection(parsed, self._clock.now_ms())
            if parsed is None or objection:
                self._drop(fire, Status.SKIPPED, objection)
                continue
            if parsed.tracked and not fire.tries:
                self._store.run_started(fire.schedule, fire.id, started=False)
            fire.tries += 1
            ready.append((fire, parsed.replica.definition))
        for answer in self._fan(self._attempt, ready, _LATE, ENQUEUE_S):
            if answer is not None:
                (fire, definition), outcome = answer
                if outcome is None:
                    self.look_later(fire, self._clock.boottime(), in_doubt=False)
                else:
                    self._judge(fire, definition, outcome)
            self._ledger.settle_soon()
        self._ledger.settle()

    def _attempt(self, item: tuple[Fire, Definition]) -> Outcome | None:
        """Enqueue, unless the lease is over: who holds it next does, perhaps this process."""
        fire, definition = item
        left = self._tenure.left_s
        if left <= 0 or self.stopped():
            return None
        return self._host.place(job_of(fire, definition), fire.enq, min(left, ENQUEUE_S))

    def _judge(self, fire: Fire, definition: Definition, outcome: Outcome) -> None:
        if outcome.ok:
            self._host.well("place")
            self._sent(fire)
        elif outcome.code == EngineUnavailable.code:
            self._host.trouble("place", outcome.code, outcome.detail)
            self._again(fire, definition, outcome, in_doubt=False)
        elif outcome.code == Indeterminate.code:
            self._again(fire, definition, outcome, in_doubt=True)
        else:
            refused = outcome.code.startswith("policy.")
            status = Status.REFUSED if refused else Status.FAILED
            self._drop(fire, status, f"{outcome.code}: {outcome.detail}")

    def _again(
        self, fire: Fire, definition: Definition, outcome: Outcome, *, in_doubt: bool
    ) -> None:
        dispatch = definition.dispatch
        age_s = (self._clock.now_ms() - fire.since_ms) / 1000
        spent = fire.tries >= dispatch.max_tries or age_s >= dispatch.max_age_s
        if spent and not in_doubt:
            self._drop(fire, Status.FAILED, f"{outcome.code}: {outcome.detail}")
            return
        fire.is_last = spent
        wait = min(FIRST_AGAIN_S * 2 ** (fire.tries - 1), LAST_AGAIN_S)
        self.look_later(fire, self._clock.boottime() + wait, in_doubt=in_doubt)

    def look_later(self, fire: Fire, at: float, *, in_doubt: bool) -> None:
        """Place a fire again at a time; when in doubt, first look whether it was."""
        self._number += 1
        self.waiting.add(fire.id)
        heapq.heappush(self._later, _Later(at, self._number, fire, in_doubt))

    def resume(self) -> bool:
        """Do what is due of what was left for later; whether anything was.

        Raises:
            LeaseLost, StoreUnavailable: what was not done is done later.
        """
        now = self._clock.boottime()
        due: list[_Later] = []
        while self._later and self._later[0].at <= now and len(due) < LOOKED_INTO:
            due.append(heapq.heappop(self._later))
        if not due:
            return False
        fires = [later.fire for later in due]
        self.waiting -= {fire.id for fire in fires}
        try:
            again = [later.fire for later in due if not later.in_doubt]
            again += self._looked_into([later.fire for later in due if later.in_doubt])
            self.number(again)
        except StoreError:
            self._leave_doubtful(fires)
            raise
        self.place(again)
        return True

    def number(self, fires: Sequence[Fire]) -> None:
        """Give attempts numbers of their own, where they need one; the store is told first.

        Raises:
            LeaseLost, StoreUnavailable: nothing was numbered.
        """
        fresh = [fire for fire in fires if fire.renumber]
        if not fresh:
            return
        marks = [fire.mark("buffered")._replace(enq=fire.enq + 1) for fire in fresh]
        self._store.settle(self._tenure.held(), marks)
        for fire in fresh:
            fire.enq += 1
            fire.renumber = False

    def forget(self) -> None:
        """Leave all to the next leader."""
        self._later.clear()
        self.waiting.clear()

    def _leave_doubtful(self, fires: Sequence[Fire]) -> None:
        """After trouble with the store nobody knows how far fires came: they are looked into."""
        at = self._clock.boottime() + FIRST_AGAIN_S
        for fire in fires:
            if not fire.is_settled and fire.id not in self.waiting:
                self.look_later(fire, at, in_doubt=True)

    def _looked_into(self, fires: Sequence[Fire]) -> list[Fire]:
        """Those that have to be enqueued again; what became of the others is settled."""
        again: list[Fire] = []
        for answer in self._fan(self._seen, fires, Found.UNKNOWN, LOOKED_S):
            if answer is None:
                continue
            fire, found = answer
            if found in (Found.ALIVE, Found.ENDED) or self._store.was_started(fire.id):
                self._sent(fire)
                continue
            objection = self._too_late(fire)
            if objection:
                status = Status.EXPIRED if objection == "late" else Status.FAILED
                self._drop(fire, status, objection)
                continue
            fire.renumber = True
            again.append(fire)
        self._ledger.settle()
        return again

    def _seen(self, fire: Fire) -> Found:
        return self._host.fetch(fire.id) if self._tenure.left_s > 0 else Found.UNKNOWN

    def _too_late(self, fire: Fire) -> str:
        """Why a fire in doubt is not enqueued again; empty when it is."""
        parsed = self.parsed(fire.schedule)
        if parsed is None:
            return ""
        definition = parsed.replica.definition
        if definition.delivery == "at_most_once" or fire.is_last:
            return "indeterminate"
        now = self._clock.now_ms()
        limit = definition.rules.expires_after_s
        if limit is not None and now - fire.due_ms > limit * 1000:
            return "late"
        return "indeterminate" if now - fire.since_ms > RECOVERED_S * 1000 else ""

    def _sent(self, fire: Fire) -> None:
        self._ledger.tell(fire, Status.SENT)
        self._ledger.mark(fire, "sent")
        fire.is_settled = True

    def _drop(self, fire: Fire, status: Status, reason: str) -> None:
        if fire.kind == TELL:
            status, reason = fire.status, fire.reason or ""
        self._ledger.tell(fire, status, reason)
        self._ledger.mark(fire, "dropped" if status == Status.SKIPPED else "failed")
        fire.is_settled = True


def _objection(parsed: Parsed | None, now_ms: int) -> str:
    """Why a claimed fire is not placed any more; empty when it is."""
    if parsed is None:
        return "deleted"
    replica = parsed.replica
    if not replica.enabled:
        return "disabled"
    until = replica.paused_until_ms
    return "paused" if replica.paused and (until is None or now_ms < until) else ""


def job_of(fire: Fire, definition: Definition) -> Job:
    """What is enqueued for a fire."""
    limit = definition.rules.expires_after_s
    return Job(
        definition.task, tuple(definition.args), dict(definition.kwargs), fire.id,
        definition.queue, definition.priority,
        expires=None if limit is None else fire.due_ms / 1000 + limit,
        fire=mark(fire.id, fire.enq), options=definition.options, headers=definition.headers,
    )  # fmt: skip
