"""Messages in a SQLite file of this host.

The rule: readable by us alone and never over its bound; what is out of date goes first, then the
oldest.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from ..clock import Clock
from ..errors import StoreError, StoreUnavailable
from ..wal import turn_on_wal
from . import ReplayRecord, checked

MAX_BYTES = 64 * 1024 * 1024
_BUSY_S = 2.0
_ROW_BYTES = 256
_T = TypeVar("_T")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, engine TEXT NOT NULL, app TEXT NOT NULL,
  task_id TEXT NOT NULL, task TEXT NOT NULL, body BLOB NOT NULL, sha256 BLOB NOT NULL,
  until_us INTEGER NOT NULL, size INTEGER NOT NULL, UNIQUE (engine, app, task_id)
);
CREATE INDEX IF NOT EXISTS record_age ON record (until_us, size);
"""


class FileReplay:
    """A store in one file, shared by the processes of this host. Survives forks of its process."""

    kind = "host"

    def __init__(self, path: str, max_bytes: int, clock: Clock) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._clock = clock
        self._held: tuple[int, sqlite3.Connection] | None = None

    def put(
        self, engine: str, app: str, task_id: str, task: str, body: bytes, until_us: int, /
    ) -> None:
        """Keep a message and make room for it."""
        size = len(body) + _ROW_BYTES
        row = (engine, app, task_id, task, body, checked(body), until_us, size)

        def write(database: sqlite3.Connection) -> None:
            database.execute(
                "INSERT OR REPLACE INTO record"
                " (engine, app, task_id, task, body, sha256, until_us, size)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            self._make_room(database)

        self._asked(write)

    def get(self, engine: str, app: str, task_id: str, /) -> ReplayRecord | None:
        """The message kept for a run, None when there is none or it is out of date."""
        key = (engine, app, task_id, self._clock.wall_us())
        row = self._asked(
            lambda database: database.execute(
                "SELECT task, body, sha256, until_us FROM record"
                " WHERE engine = ? AND app = ? AND task_id = ? AND until_us > ?",
                key,
            ).fetchone()
        )
        if row is None:
            return None
        task, body, digest, until_us = row
        if hashlib.sha256(body).digest() != digest:
            raise StoreError("the record was changed")
        return ReplayRecord(engine, app, task_id, task, body, digest, until_us)

    def drop(self, engine: str, app: str, task_id: str, /) -> None:
        """Forget the message of a run."""
        self._asked(
            lambda database: database.execute(
                "DELETE FROM record WHERE engine = ? AND app = ? AND task_id = ?",
                (engine, app, task_id),
            )
        )

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        held, self._held = self._held, None
        if held is not None and held[0] == os.getpid():
            held[1].close()

    def _make_room(self, database: sqlite3.Connection) -> None:
        database.execute("DELETE FROM record WHERE until_us <= ?", (self._clock.wall_us(),))
        held = database.execute("SELECT coalesce(sum(size), 0) FROM record").fetchone()[0]
        while held > self._max_bytes:
            freed = database.execute(
                "DELETE FROM record WHERE seq = (SELECT min(seq) FROM record) RETURNING size"
            ).fetchone()
            if freed is None:
                return
            held -= freed[0]

    def _asked(self, ask: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            database = self._database()
            with database:
                return ask(database)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(f"the replay file did not answer: {error}") from error

    def _database(self) -> sqlite3.Connection:
        """The connection of this process: one that was inherited by a fork is left alone."""
        if self._held is not None and self._held[0] == os.getpid():
            return self._held[1]
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        os.close(os.open(self._path, flags, 0o600))
        database = sqlite3.connect(self._path, timeout=_BUSY_S, check_same_thread=False)
        try:
            turn_on_wal(database)
            database.execute("PRAGMA synchronous=NORMAL")
            database.executescript(_SCHEMA)
        except sqlite3.Error:
            database.close()
            raise
        _inherited.append(self._held)
        self._held = (os.getpid(), database)
        return database


# Closing a connection that a fork inherited would drop the parent's locks: they are kept alive.
_inherited: list[tuple[int, sqlite3.Connection] | None] = []
