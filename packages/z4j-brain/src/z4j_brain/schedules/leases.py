"""Leases in the brain's own database. The rule: the SQL store's own code, a transaction a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from z4j_core.errors import StoreUnavailable
from z4j_core.scheduler.lease import group_of
from z4j_core.scheduler.leases.sql import SqlStore
from z4j_core.scheduler.leases.tables import POSTGRESQL, SQLITE, OverDbapi, Statements

from ..db import DRIVER_ERRORS, Database
from . import store
from .store import Place


def store_of(db: Database, place: Place, boottime: Callable[[], float]) -> SqlStore:
    """The lease store of a group."""

    @contextmanager
    def transaction() -> Iterator[Statements]:
        try:
            with db.writing() as conn:
                yield over(conn)
        except DRIVER_ERRORS as error:
            db.trouble.failed(error)
            raise StoreUnavailable("the brain's database does not answer") from error

    return SqlStore(transaction, group_of(*place), boottime)


def over(conn: Connection) -> Statements:
    """What the SQL store speaks to, inside a transaction of the brain."""
    dialect = SQLITE if conn.dialect.name == "sqlite" else POSTGRESQL
    return OverDbapi(conn.connection.driver_connection, dialect)


def led_by(conn: Connection, place: Place, stream: str, epoch: int, now_us: int) -> None:
    """Remember which agent leads a group, by the newest epoch anybody told of."""
    row = store.group(conn, place)
    if row is not None and epoch >= row.epoch and (row.leader, row.epoch) != (stream, epoch):
        store.change_group(conn, place, leader=stream, epoch=epoch, heard=now_us)
