"""A database that is away or full. The rule: one line when that begins, one when it is over.

Whatever fails then is not the fault of what was to be stored, and nobody else needs to say so.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_log = logging.getLogger("z4j.db")
CALM_S = 10.0
_SQLITE = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
})  # fmt: skip
_POSTGRESQL = ("08", "25006", "53", "57", "58", "XX")
"""Connection, read-only, no disk, memory or connection left, shut down, system, broken files."""


def is_trouble(error: BaseException | None) -> bool:
    """Whether the database as a whole cannot serve, whatever it was asked."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_trouble(error.orig)
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE
    if isinstance(error, psycopg.Error):
        state = error.sqlstate
        return isinstance(error, psycopg.OperationalError) if state is None else (
            state.startswith(_POSTGRESQL)
        )  # fmt: skip
    return False


class Trouble:
    """Says when a database stops and when it works again; used by all its threads.

    On a disk that is nearly full small writes go on to work: it is over only when none has failed
    for `CALM_S` seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._began = self._failed_at = 0.0
        self._is_on = False

    def failed(self, error: BaseException) -> None:
        """Note an error of the database; only trouble is told, and once."""
        if not is_trouble(error):
            return
        with self._lock:
            self._failed_at = self._monotonic()
            if not self._is_on:
                self._is_on, self._began = True, self._failed_at
                why = str(getattr(error, "orig", error)).strip().partition("\n")[0]
                _log.error("Z4J-E602 %s: nothing is stored; agents keep their events", why)

    def worked(self) -> None:
        """Note that something was stored."""
        if not self._is_on:
            return
        with self._lock:
            now = self._monotonic()
            if now - self._failed_at >= CALM_S and self._is_on:
                self._is_on = False
                _log.warning("the database works again after %.0f s", now - self._began)
