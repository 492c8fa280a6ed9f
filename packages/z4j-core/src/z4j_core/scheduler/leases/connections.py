"""One connection of a SQL store. The rule: a transaction per call, made anew after an error."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from ...errors import StoreError, StoreUnavailable
from ...wal import turn_on_wal
from . import tables
from .tables import POSTGRESQL, SQLITE, OverDbapi, Statements

SILENT_MS, WAITS_MS = 3_000, 2_000
_BOUNDS = (
    f"SET LOCAL idle_in_transaction_session_timeout = {SILENT_MS};"
    f" SET LOCAL lock_timeout = {WAITS_MS}"
)
"""Who falls silent in a transaction, cut off or stopped, would keep its locks for hours; who waits
for one tries again. Both are said in each transaction: a pooler may swap the server behind it."""


class Connections:
    """Transactions over what `connect` makes, one at a time: psycopg 3 or sqlite3.

    Connections are ours: their settings are changed. The tables are made where they are missing
    and making them is permitted.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._turn = threading.RLock()
        self._held: tuple[int, Any, str] | None = None

    @contextmanager
    def __call__(self) -> Iterator[Statements]:
        """A transaction that writes, committed unless the block raises.

        Raises:
            StoreUnavailable: the database does not answer.
        """
        with self._turn, ExitStack() as failed:
            failed.callback(self._undo)
            try:
                connection, dialect = self._ready()
                if dialect == SQLITE:
                    connection.execute("BEGIN IMMEDIATE")
                else:
                    connection.execute(_BOUNDS)
                yield OverDbapi(connection, dialect)
                connection.commit()
            except driver_errors() as error:
                self.close()
                raise StoreUnavailable(f"the database did not answer: {error}") from error
            failed.pop_all()

    def close(self) -> None:
        """Close the connection; a later call makes another."""
        with self._turn:
            held, self._held = self._held, None
            if held is not None and held[0] == os.getpid():
                with suppress(*driver_errors()):
                    held[1].close()

    def _ready(self) -> tuple[Any, str]:
        if self._held is None or self._held[0] != os.getpid():
            _inherited.append(self._held)
            made = self._connect()
            dialect = dialect_of(made)
            _settle_in(made, dialect)
            self._held = (os.getpid(), made, dialect)
            self._tables(made, dialect)
        return self._held[1:]

    def _tables(self, made: Any, dialect: str) -> None:
        db = OverDbapi(made, dialect)
        if tables.is_there(db):
            made.commit()
            return
        try:
            for statement in tables.ddl(dialect):
                db.rows(statement, {})
            made.commit()
        except driver_errors() as error:
            made.rollback()
            if not tables.is_there(db):
                raise StoreError(
                    f"the tables are missing and may not be made here ({error}):"
                    " have them made as `z4j-scheduler ddl` says"
                ) from error
            made.commit()

    def _undo(self) -> None:
        if self._held is not None:
            try:
                self._held[1].rollback()
            except driver_errors():
                self.close()


def dialect_of(connection: Any) -> str:
    """`sqlite` for a connection of sqlite3, else `postgresql`."""
    return SQLITE if isinstance(connection, sqlite3.Connection) else POSTGRESQL


def driver_errors() -> tuple[type[Exception], ...]:
    """What drivers raise; psycopg's are there when a connection of it is."""
    found = getattr(sys.modules.get("psycopg"), "Error", None)
    if isinstance(found, type) and issubclass(found, Exception):
        return (OSError, sqlite3.Error, found)
    return (OSError, sqlite3.Error)


def _settle_in(connection: Any, dialect: str) -> None:
    """Transactions begin where we say so, and nothing stays at a server a pooler may swap."""
    if dialect == SQLITE:
        connection.isolation_level = None
        turn_on_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        return
    connection.autocommit = False
    connection.prepare_threshold = None


# Closing a connection that a fork inherited would end the parent's session: they are kept alive.
_inherited: list[tuple[int, Any, str] | None] = []
