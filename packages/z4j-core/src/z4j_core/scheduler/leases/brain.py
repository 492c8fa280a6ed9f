"""The brain as a lease store. The rule: while the brain is away, nobody leads.

It keeps no guard, so every copy of a fire may run, and it has the newest snapshot itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...errors import LeaseLost, StoreUnavailable
from ..lease import (
    MARGIN_MS,
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
from .calls import PAGE_BYTES, REASONS, ROW_BYTES, Ask, Op, Status


class BrainStore:
    """The store of one group behind the session of this process."""

    kind = "brain"
    survives_brain = False

    def __init__(self, ask: Ask, boottime: Callable[[], float]) -> None:
        self._send = ask
        self._boottime = boottime
        self._woken = threading.Event()

    def acquire(self, owner: str, *, ttl_ms: int, fp: str, rev: str) -> Lease | Refusal:
        """Become the leader, or hear why not."""
        before = self._boottime()
        status, values = self._send(Op.ACQUIRE, [owner, ttl_ms, bytes.fromhex(fp), rev])
        if status in REASONS:
            return Refusal(REASONS[Status(status)], *_checked(values, 3))
        epoch, _, now_ms, rev = _ok(status, values, 4)
        return Lease(owner, epoch, self._deadline(before, ttl_ms), now_ms, rev)

    def is_blank(self) -> bool:
        """False: the brain has what it was told of fires beside it."""
        return False

    def renew(self, lease: Lease, *, ttl_ms: int) -> Lease:
        """Hold it for longer."""
        before = self._boottime()
        args = [lease.owner, lease.epoch, ttl_ms, lease.rev]
        epoch, _, now_ms, rev = _ok(*self._send(Op.RENEW, args), 4)
        return Lease(lease.owner, epoch, self._deadline(before, ttl_ms), now_ms, rev)

    def release(self, lease: Lease) -> None:
        """Give it back."""
        _ok(*self._send(Op.RELEASE, [lease.owner, lease.epoch]), 0)

    def cursors(self) -> dict[str, Stand]:
        """Schedule to how far it has come."""
        rows = self._pages(Op.CURSORS)
        return {str(row[0]): Stand(*row[1:]) for row in rows}

    def claim(self, lease: Lease, fires: Sequence[Claim]) -> list[Outcome]:
        """Write down who fires which slots.

        What is too much for one record goes in several, each in one step: when the lease is lost
        between two, the first ones stay claimed and open for the next leader.
        """
        found: list[Outcome] = []
        for part in _parts(fires):
            args = [lease.owner, lease.epoch, [tuple(claim) for claim in part]]
            (outcomes,) = _ok(*self._send(Op.CLAIM, args), 1)
            if len(outcomes) != len(part):
                raise StoreUnavailable("the brain answered for other claims")
            found += [Outcome(outcome) for outcome in outcomes]
        return found

    def settle(self, lease: Lease, marks: Sequence[Mark]) -> None:
        """Write down what became of fires."""
        args = [lease.owner, lease.epoch, [tuple(mark) for mark in marks]]
        _ok(*self._send(Op.SETTLE, args), 0)

    def open(self) -> list[OpenFire]:
        """Fires that are not settled, oldest slot first."""
        return [OpenFire(*row) for row in self._pages(Op.OPEN)]

    def run_started(self, schedule: str, fire_id: str, *, started: bool) -> None:
        """Note that a fire was sent, or runs."""
        _ok(*self._send(Op.RUN_STARTED, [schedule, fire_id, started]), 0)

    def run_ended(self, schedule: str, fire_id: str, *, failed: bool) -> int:
        """Note that a run ended; how many failed in a row by now."""
        (failures,) = _ok(*self._send(Op.RUN_ENDED, [schedule, fire_id, failed]), 1)
        return int(failures)

    def running(self, schedule: str) -> list[RunOf]:
        """Runs that have not ended."""
        (rows,) = _ok(*self._send(Op.RUNNING, [schedule]), 1)
        return [RunOf(*row) for row in rows]

    def reset_failures(self, schedule: str) -> None:
        """Start to count failures anew."""
        _ok(*self._send(Op.RESET_FAILURES, [schedule]), 0)

    def _deadline(self, before: float, ttl_ms: int) -> float:
        return before + (ttl_ms - MARGIN_MS) / 1000

    def _pages(self, op: Op) -> list[Any]:
        rows: list[Any] = []
        after: Any = None
        while True:
            page, after = _ok(*self._send(op, [after]), 2)
            rows += page
            if after is None:
                return rows

    def first_start(self, fire_id: str, enq: int) -> bool:
        """True: the brain keeps no guard."""
        return True

    def forget_start(self, fire_id: str) -> None:
        """Nothing: there is no guard."""

    def was_started(self, fire_id: str) -> bool:
        """False: there is no guard."""
        return False

    def snapshot(self) -> Sealed | None:
        """None: what the brain has comes as SCHEDULES."""
        return None

    def put_snapshot(self, snapshot: Sealed) -> bool:
        """False: the brain made it."""
        return False

    def wait(self, timeout_s: float) -> bool:
        """Sleep until the brain says that a lease was released, or time is up."""
        found = self._woken.wait(timeout_s)
        self._woken.clear()
        return found

    def wake(self) -> None:
        """End a `wait` in another thread."""
        self._woken.set()

    def close(self) -> None:
        """Nothing: the session is the agent's."""
        self._woken.set()


def _parts(fires: Sequence[Claim]) -> Iterable[Sequence[Claim]]:
    start = size = 0
    for index, claim in enumerate(fires):
        size += ROW_BYTES + len(claim.record)
        if size > PAGE_BYTES and index > start:
            yield fires[start:index]
            start, size = index, ROW_BYTES + len(claim.record)
    if start < len(fires):
        yield fires[start:]


def _ok(status: int, values: Sequence[Any], count: int) -> Sequence[Any]:
    """The first values of an answer that went well.

    Raises:
        LeaseLost: the status says so.
        StoreUnavailable: it does not answer, or makes no sense.
    """
    if status == Status.HELD:
        raise LeaseLost("the brain knows another leader")
    if status != Status.OK:
        raise StoreUnavailable(f"the brain cannot: {values[0] if values else status}")
    return _checked(values, count)


def _checked(values: Sequence[Any], count: int) -> Sequence[Any]:
    if len(values) < count:
        raise StoreUnavailable("the brain answered with less than was asked")
    return values[:count]
