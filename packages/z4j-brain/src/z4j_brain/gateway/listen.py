"""Wake-ups between brains over PostgreSQL. The rule: a missed one costs a second at most."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import psycopg

from ..commands.seal import CHANNEL
from ..db import Database

_WAIT_S = 0.25


class Listener:
    """One connection that listens; nothing on SQLite, where there is one brain."""

    def __init__(self, db: Database, wake: Callable[[], None]) -> None:
        self._db = db
        self._wake = wake
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to listen; `wake` is called in `loop`."""
        if self._db.is_sqlite:
            return
        self._thread = threading.Thread(
            target=self._run, args=(loop,), name="z4j listen", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the connection; waits for its thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        url = self._db.engine.url.set(drivername="postgresql")
        address = url.render_as_string(hide_password=False)
        while not self._stopped.is_set():
            try:
                with psycopg.connect(address, autocommit=True) as conn:
                    conn.execute(f"LISTEN {CHANNEL}")
                    self._listen(conn, loop)
            except psycopg.Error:
                self._stopped.wait(_WAIT_S)

    def _listen(
        self, conn: psycopg.Connection[tuple[object, ...]], loop: asyncio.AbstractEventLoop
    ) -> None:
        while not self._stopped.is_set():
            for _ in conn.notifies(timeout=_WAIT_S, stop_after=1):
                loop.call_soon_threadsafe(self._wake)
