"""Leases in the brain's own database. The rule: the SQL store's own code, a transaction a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection
from z4j_core.errors import StoreUnavailable
from z4j_core.scheduler.lease import Acquired, Lease, Refusal, group_of, rev_text
from z4j_core.scheduler.leases.sql import SqlStore
from z4j_core.scheduler.leases.tables import POSTGRESQL, SQLITE, OverDbapi, Statements

from ..db import DRIVER_ERRORS, Database
from . import store
from .store import Place


class BrainsOwn(SqlStore):
    """The store of a group in the brain, which knows itself which snapshot is the newest."""

    def __init__(self, db: Database, place: Place, boottime: Callable[[], float]) -> None:
        super().__init__(_transactions(db), group_of(*place), boottime)
        self._newest = partial(newest_rev, db, place)

    def acquire(self, owner: str, *, ttl_ms: int, fp: str, rev: str) -> Acquired:
        """Become the leader, unless by schedules that are not the newest."""
        newest = self._newest()
        found = super().acquire(owner, ttl_ms=ttl_ms, fp=fp, rev=rev)
        if isinstance(found, Lease) and rev < newest:
            self.release(found)
            return Refusal("older_snapshot", 0, found.store_now_ms, newest)
        return found._replace(rev=newest)

    def renew(self, lease: Lease, *, ttl_ms: int) -> Lease:
        """Hold it for longer, and hear of newer schedules."""
        return super().renew(lease, ttl_ms=ttl_ms)._replace(rev=self._newest())


def newest_rev(db: Database, place: Place) -> str:
    """The newest snapshot of a group, as stores compare it."""
    try:
        with db.reading() as conn:
            row = store.group(conn, place)
    except DRIVER_ERRORS as error:
        raise StoreUnavailable("the brain's database does not answer") from error
    return "" if row is None else rev_text(row.era, row.revision)


def _transactions(db: Database) -> Callable[[], AbstractContextManager[Statements]]:
    @contextmanager
    def transaction() -> Iterator[Statements]:
        try:
            with db.writing() as conn:
                yield over(conn)
        except DRIVER_ERRORS as error:
            db.trouble.failed(error)
            raise StoreUnavailable("the brain's database does not answer") from error

    return transaction


def over(conn: Connection) -> Statements:
    """What the SQL store speaks to, inside a transaction of the brain."""
    dialect = SQLITE if conn.dialect.name == "sqlite" else POSTGRESQL
    return OverDbapi(conn.connection.driver_connection, dialect)


def led_by(conn: Connection, place: Place, stream: str, epoch: int, now_us: int) -> None:
    """Remember which agent leads a group, by the newest epoch anybody told of."""
    row = store.group(conn, place)
    if row is not None and epoch >= row.epoch and (row.leader, row.epoch) != (stream, epoch):
        store.change_group(conn, place, leader=stream, epoch=epoch, heard=now_us)


def is_held(over: Statements, group: str) -> bool:
    """Whether somebody holds the lease of a group here."""
    query = "SELECT epoch FROM z4j_lease WHERE grp = :grp AND expires_ms > {now}"
    return bool(over.rows(query, {"grp": group}))


def forget_lease(over: Statements, group: str) -> None:
    """Let a group be led for another broker; its next epoch is above all before, by the clock."""
    over.rows("DELETE FROM z4j_lease WHERE grp = :grp", {"grp": group})


class Seed(NamedTuple):
    """How far a schedule has come, as far as the brain was told."""

    schedule: str
    generation: int
    slot_ms: int
    fires: int


def seed(over: Statements, group: str, stands: Iterable[Seed]) -> None:
    """Let cursors stand at least as far as was told."""
    over.each(_SEED, [{"grp": group} | stand._asdict() for stand in stands])


_SEED = (
    "INSERT INTO z4j_cursor AS c (grp, schedule, generation, slot_ms, fires, failures, last)"
    " VALUES (:grp, :schedule, :generation, :slot_ms, :fires, 0, '')"
    " ON CONFLICT (grp, schedule) DO UPDATE SET generation = excluded.generation,"
    " slot_ms = excluded.slot_ms, fires = excluded.fires"
    " WHERE excluded.slot_ms > c.slot_ms"
)
