"""A lease store in PostgreSQL or SQLite. The rule: one short transaction per call.

So it works behind a pooler that gives each transaction another connection. Nobody is told of
changes there: a wait looks every half second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..lease import (
    MARGIN_MS,
    Acquired,
    Claim,
    Lease,
    Mark,
    OpenFire,
    Outcome,
    Refusal,
    RunOf,
    Sealed,
    Stand,
)
from . import ledger, seen
from .claims import GUARD_S, UNSEEN_MS
from .connections import Connections
from .tables import Statements, ddl

__all__ = ["SqlStore", "ddl", "over"]

P = ParamSpec("P")
T = TypeVar("T")

LOOK_S = 0.5


class SqlStore:
    """The store of one group over transactions somebody gives.

    A transaction raises StoreUnavailable itself when its database does not answer. `boottime`
    reads seconds of the boot clock. `unseen_ms` and `guard_s` are for tests.
    """

    kind = "sql"
    survives_brain = True

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Statements]],
        group: str,
        boottime: Callable[[], float],
        *,
        unseen_ms: int = UNSEEN_MS,
        guard_s: int = GUARD_S,
    ) -> None:
        self._transaction = transaction
        self._group = group
        self._boottime = boottime
        self._unseen_ms = unseen_ms
        self._kept_ms = guard_s * 1000
        self._woken = threading.Event()
        self._known: ledger.Standing | None = None

    def acquire(self, owner: str, *, ttl_ms: int, fp: str, rev: str) -> Acquired:
        """Become the leader, or hear why not."""
        before = self._boottime()
        with self._transaction() as db:
            found = ledger.acquire(db, self._group, owner, ttl_ms, fp, rev)
            if isinstance(found, Refusal):
                self._known = ledger.standing(db, self._group)
                return found
        return self._dated(found, before, ttl_ms)

    def is_blank(self) -> bool:
        """Whether nobody ever led here."""
        return self._do(ledger.standing).epoch == 0

    def renew(self, lease: Lease, *, ttl_ms: int) -> Lease:
        """Hold it for longer."""
        before = self._boottime()
        with self._transaction() as db:
            found = ledger.renew(db, self._group, lease, ttl_ms)
            seen.forget_old(db, self._group, self._kept_ms)
        return self._dated(found, before, ttl_ms)

    def release(self, lease: Lease) -> None:
        """Give it back; those who wait see it at their next look."""
        self._do(ledger.release, lease)

    def cursors(self) -> dict[str, Stand]:
        """Schedule to how far it has come."""
        return self._do(ledger.cursors)

    def claim(self, lease: Lease, fires: Sequence[Claim]) -> list[Outcome]:
        """Write down who fires which slots, in one step."""
        return self._do(ledger.claim, lease, fires)

    def settle(self, lease: Lease, marks: Sequence[Mark]) -> None:
        """Write down what became of fires."""
        self._do(ledger.settle, lease, marks)

    def open(self) -> list[OpenFire]:
        """Fires that are not settled, oldest slot first."""
        return self._do(ledger.open_fires)

    def first_start(self, fire_id: str, enq: int) -> bool:
        """Whether this copy of a fire may run."""
        return self._do(seen.first_start, fire_id, enq, self._kept_ms)

    def forget_start(self, fire_id: str) -> None:
        """Let the next copy of a fire start."""
        self._do(seen.forget_start, fire_id)

    def was_started(self, fire_id: str) -> bool:
        """Whether a copy of this fire has ever begun, as far as the guard remembers."""
        return self._do(seen.was_started, fire_id)

    def run_started(self, schedule: str, fire_id: str, *, started: bool) -> None:
        """Note that a fire was sent, or runs."""
        self._do(seen.run_started, schedule, fire_id, started)

    def run_ended(self, schedule: str, fire_id: str, *, failed: bool) -> int:
        """Note that a run ended for good; how many failed in a row by now."""
        return self._do(seen.run_ended, schedule, fire_id, failed)

    def running(self, schedule: str) -> list[RunOf]:
        """Runs that have not ended."""
        return self._do(seen.running, schedule, self._unseen_ms)

    def reset_failures(self, schedule: str) -> None:
        """Start to count failures anew."""
        self._do(seen.reset_failures, schedule)

    def snapshot(self) -> Sealed | None:
        """The newest snapshot, None where none was put."""
        return self._do(seen.snapshot)

    def put_snapshot(self, snapshot: Sealed) -> bool:
        """Keep a snapshot unless an equal or newer one is there."""
        return self._do(seen.put_snapshot, snapshot)

    def admit(self, fp: str) -> None:
        """Let the group move to another broker; an operator decided so."""
        self._do(ledger.admit, fp)

    def wait(self, timeout_s: float) -> bool:
        """Sleep until something changed since the last look, or time is up."""
        until = self._boottime() + timeout_s
        while True:
            now = self._standing()
            before, self._known = self._known or now, now
            if now != before:
                return True
            left = until - self._boottime()
            if self._woken.wait(max(0.0, min(LOOK_S, left))):
                self._woken.clear()
                return True
            if left <= 0:
                return False

    def wake(self) -> None:
        """End a `wait` in another thread, or the next one."""
        self._woken.set()

    def close(self) -> None:
        """End a wait, and the connection where it is ours."""
        self._woken.set()
        if isinstance(self._transaction, Connections):
            self._transaction.close()

    def _standing(self) -> ledger.Standing:
        return self._do(ledger.standing)

    def _do(
        self, work: Callable[Concatenate[Statements, str, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with self._transaction() as db:
            return work(db, self._group, *args, **kwargs)

    def _dated(self, lease: Lease, before: float, ttl_ms: int) -> Lease:
        return lease._replace(deadline=before + (ttl_ms - MARGIN_MS) / 1000)


def over(connect: Callable[[], Any], group: str, boottime: Callable[[], float]) -> SqlStore:
    """A store over a function that opens a connection of psycopg 3 or sqlite3 for it alone."""
    return SqlStore(Connections(connect), group, boottime)
