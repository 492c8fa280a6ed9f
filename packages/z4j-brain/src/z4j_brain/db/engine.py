"""Engine and transactions. The rule: one writer on SQLite, and nobody blocks the event loop.

Work is a plain function `fn(conn, *args)`; `read` and `write` run it in a worker thread inside
one transaction. On SQLite all writes share one thread and one connection.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool
from z4j_core.clock import SystemClock

from .trouble import Trouble

P = ParamSpec("P")
T = TypeVar("T")

DRIVER_ERRORS = (SQLAlchemyError, psycopg.Error, sqlite3.Error)
"""What a database raises, through SQLAlchemy or around it."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-32768",
    "PRAGMA wal_autocheckpoint=4000",
)

_WAITS = {
    "connect_timeout": "10", "tcp_user_timeout": "30000",
    "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "4",
}  # fmt: skip


class Database:
    """One database and the threads that talk to it. `close` releases both."""

    def __init__(self, engine: Engine, readers: int = 8) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.trouble = Trouble(SystemClock().monotonic)
        self._gate = threading.RLock() if self.is_sqlite else None
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="z4j-read")
        self._writers = ThreadPoolExecutor(
            1 if self.is_sqlite else readers, thread_name_prefix="z4j-write"
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One read transaction in the calling thread."""
        with self.engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One write transaction in the calling thread; commits unless the block raises."""
        if self._gate is None:
            with self.engine.begin() as conn:
                yield conn
            return
        opened = self.engine.connect().execution_options(z4j_write=True)
        with self._gate, opened as conn, conn.begin():
            yield conn

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(conn, …)` in a reader thread inside one transaction."""

        def work() -> T:
            try:
                with self.reading() as conn:
                    return fn(conn, *args, **kwargs)
            except DRIVER_ERRORS as error:
                self.trouble.failed(error)
                raise

        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def write(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(conn, …)` in the writer thread inside one transaction, then commit.

        Raises: whatever `fn` raises; then nothing of it is stored.
        """

        def work() -> T:
            try:
                with self.writing() as conn:
                    found = fn(conn, *args, **kwargs)
            except DRIVER_ERRORS as error:
                self.trouble.failed(error)
                raise
            self.trouble.worked()
            return found

        return await asyncio.get_running_loop().run_in_executor(self._writers, work)

    async def apart(self, work: Callable[[], T]) -> T:
        """Run `work()` in a writer thread; it opens its own transactions by `writing`."""
        return await asyncio.get_running_loop().run_in_executor(self._writers, work)

    def close(self) -> None:
        """Wait for running work and close every connection."""
        self._readers.shutdown()
        self._writers.shutdown()
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open `sqlite:///file` or `postgresql://…`; creates no table (see `migrations.upgrade`)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite(str(parsed)))
    parsed = _patient(parsed.set(drivername="postgresql+psycopg"))
    return Database(
        create_engine(parsed, pool_size=10, max_overflow=10, pool_pre_ping=True, **_json())
    )


def _patient(url: URL) -> URL:
    """Bounds for a server that is gone without a word; what the URL says itself, holds."""
    return url.update_query_dict({k: v for k, v in _WAITS.items() if k not in url.query})


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=10,
        max_overflow=10,
        connect_args={"check_same_thread": False, "cached_statements": 256},
        **_json(),
    )

    @event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: object) -> None:
        raw.isolation_level = None
        for pragma in _PRAGMAS:
            raw.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(conn: Connection) -> None:
        writes = conn.get_execution_options().get("z4j_write", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _json() -> dict[str, Any]:
    return {
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
