"""What LEASE asks and LEASED answers. The rule: one table says what the brain does for each.

Operations and statuses are those of wire.md section 12. Lists that may be long travel in pages of
at most `PAGE_BYTES`: each answer ends with where the next page begins, nil when there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from ...errors import LeaseLost, StoreUnavailable
from ..lease import Claim, Lease, LeaseStore, Mark, Refusal

PAGE_BYTES = 160 << 10
"""A record holds 256 KiB."""
ROW_BYTES = 160
"""More than what stands beside the record of a claim or an open fire."""


class Op(IntEnum):
    """What is asked."""

    ACQUIRE = 1
    RENEW = 2
    RELEASE = 3
    CURSORS = 4
    CLAIM = 5
    SETTLE = 6
    OPEN = 7
    RUN_STARTED = 8
    RUN_ENDED = 9
    RUNNING = 10
    FIRE = 11
    """Of the standalone scheduler alone; no lease store serves it."""
    RESET_FAILURES = 12
    TELL = 13
    """As `FIRE`: what became of slots that no agent can tell of."""


class Status(IntEnum):
    """How it went."""

    OK = 0
    HELD = -1
    """Acquire: somebody else holds it. Elsewhere: the lease is lost."""
    OTHER_BROKER = -2
    OLDER_SNAPSHOT = -3
    UNAVAILABLE = -4


REASONS = {
    Status.HELD: "held",
    Status.OTHER_BROKER: "other_broker",
    Status.OLDER_SNAPSHOT: "older_snapshot",
}
"""Why a candidate is not let in, by status."""
_STATUSES = {reason: status for status, reason in REASONS.items()}


class Answer(NamedTuple):
    """What LEASED says."""

    status: int
    values: Sequence[Any]


Ask = Callable[[int, Sequence[Any]], Answer]
"""Sends LEASE(op, args) and waits for LEASED; raises StoreUnavailable."""


def serve(store: LeaseStore, op: int, args: Sequence[Any]) -> Answer:
    """Do what a LEASE asks, with the store of its group; whatever is wrong becomes a status.

    Args that make no sense are `UNAVAILABLE`: nothing was done.
    """
    try:
        return _SERVED[Op(op)](store, *args)
    except LeaseLost:
        return Answer(Status.HELD, ())
    except (StoreUnavailable, ValueError, TypeError, KeyError) as error:
        return Answer(Status.UNAVAILABLE, (str(error)[:200],))


def _acquire(store: LeaseStore, owner: str, ttl_ms: int, fp: bytes, rev: str) -> Answer:
    found = store.acquire(owner, ttl_ms=ttl_ms, fp=fp.hex(), rev=rev)
    if isinstance(found, Refusal):
        status = _STATUSES[found.reason]
        return Answer(status, (found.expires_ms, found.store_now_ms, found.rev))
    return _lease(found, ttl_ms)


def _renew(store: LeaseStore, owner: str, epoch: int, ttl_ms: int, rev: str) -> Answer:
    return _lease(store.renew(Lease(owner, epoch, 0.0, 0, rev), ttl_ms=ttl_ms), ttl_ms)


def _lease(found: Lease, ttl_ms: int) -> Answer:
    expires_ms = found.store_now_ms + ttl_ms
    return Answer(Status.OK, (found.epoch, expires_ms, found.store_now_ms, found.rev))


def _release(store: LeaseStore, owner: str, epoch: int) -> Answer:
    store.release(Lease(owner, epoch, 0.0, 0))
    return _DONE


def _cursors(store: LeaseStore, after: str | None = None) -> Answer:
    rows = sorted((name, *stand) for name, stand in store.cursors().items())
    left = [row for row in rows if after is None or row[0] > after]
    return _page(left, [ROW_BYTES] * len(left), lambda row: row[0])


def _claim(store: LeaseStore, owner: str, epoch: int, fires: Iterable[Sequence[Any]]) -> Answer:
    claims = [Claim(*fire) for fire in fires]
    outcomes = store.claim(Lease(owner, epoch, 0.0, 0), claims)
    return Answer(Status.OK, ([int(outcome) for outcome in outcomes],))


def _settle(store: LeaseStore, owner: str, epoch: int, marks: Iterable[Sequence[Any]]) -> Answer:
    store.settle(Lease(owner, epoch, 0.0, 0), [Mark(*mark) for mark in marks])
    return _DONE


def _open(store: LeaseStore, after: Sequence[Any] | None = None) -> Answer:
    def place(fire: Sequence[Any]) -> list[Any]:
        return [fire[3], fire[0]]

    left = [row for row in store.open() if after is None or place(row) > list(after)]
    left.sort(key=place)
    return _page(left, [ROW_BYTES + len(row.record) for row in left], place)


def _run_started(store: LeaseStore, schedule: str, fire_id: str, started: object) -> Answer:
    store.run_started(schedule, fire_id, started=bool(started))
    return _DONE


def _run_ended(store: LeaseStore, schedule: str, fire_id: str, failed: object) -> Answer:
    return Answer(Status.OK, (store.run_ended(schedule, fire_id, failed=bool(failed)),))


def _running(store: LeaseStore, schedule: str) -> Answer:
    return Answer(Status.OK, ([tuple(run) for run in store.running(schedule)],))


def _reset_failures(store: LeaseStore, schedule: str) -> Answer:
    store.reset_failures(schedule)
    return _DONE


_DONE = Answer(Status.OK, ())
_SERVED: Mapping[Op, Callable[..., Answer]] = {
    Op.ACQUIRE: _acquire,
    Op.RENEW: _renew,
    Op.RELEASE: _release,
    Op.CURSORS: _cursors,
    Op.CLAIM: _claim,
    Op.SETTLE: _settle,
    Op.OPEN: _open,
    Op.RUN_STARTED: _run_started,
    Op.RUN_ENDED: _run_ended,
    Op.RUNNING: _running,
    Op.RESET_FAILURES: _reset_failures,
}


def _page(
    rows: Sequence[Sequence[Any]], sizes: Sequence[int], place: Callable[[Any], Any]
) -> Answer:
    """As many rows as fit, and where the next page begins."""
    room, count = PAGE_BYTES, 0
    while count < len(rows) and (not count or room >= sizes[count]):
        room -= sizes[count]
        count += 1
    page = rows[:count]
    return Answer(Status.OK, (list(page), place(page[-1]) if count < len(rows) else None))
