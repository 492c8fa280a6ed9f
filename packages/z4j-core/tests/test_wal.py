"""Turning on the write-ahead log: waits, but not for ever, and leaves the connection as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from z4j_core.wal import turn_on_wal


def mode(connection):
    return connection.execute("PRAGMA journal_mode").fetchone()[0]


def test_the_log_is_on_and_the_connection_waits_as_long_as_before(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.db", timeout=7)) as connection:
        turn_on_wal(connection)

        assert mode(connection) == "wal"
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (7_000,)


@pytest.mark.parametrize("timeout_s", [0, 0.1])
def test_who_does_not_let_go_is_told_of_when_the_time_of_the_connection_is_over(
    tmp_path, timeout_s
):
    path = tmp_path / "a.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
        closing(sqlite3.connect(path, timeout=timeout_s)) as connection,
    ):
        writer.execute("BEGIN IMMEDIATE")

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            turn_on_wal(connection)

        found = connection.execute("PRAGMA busy_timeout").fetchone()
        assert found == (timeout_s * 1_000,)
