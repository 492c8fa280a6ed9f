"""SQLite's write-ahead log is turned on. The rule: who opens a file waits for its turn.

To turn it on, SQLite needs the file for itself. Where another connection writes, or turns it on
too, each would wait for the other: SQLite says "locked" at once then, whatever its timeout is.
Source: https://sqlite.org/c3ref/busy_handler.html.
"""

from __future__ import annotations

import sqlite3
import threading

_PAUSE_MS = 10
_PRIMARY = 0xFF
"""The part of an error code that is not its detail."""


def turn_on_wal(connection: sqlite3.Connection) -> None:
    """Turn it on; waits for others about as long as the connection does for a lock.

    Raises:
        sqlite3.Error: it cannot be, or others did not let go.
    """
    (wait_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout={min(wait_ms, _PAUSE_MS)}")
    pause = threading.Event()
    try:
        for left in range(wait_ms // (2 * _PAUSE_MS), -1, -1):
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if not left or error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY:
                    raise
                pause.wait(_PAUSE_MS / 1000)
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout={wait_ms}")
