"""What the transaction asks of a dialect. The rule: rows travel in sets, never one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from .plan import ATT, ATTEMPT_COLUMNS, COL, TASK_COLUMNS
from .rows import Values

JSON_COLUMNS = tuple(COL[name] for name in ("headers", "tags", "progress", "extra"))
ORIGIN = COL["origin"]
ATTEMPT_ORIGIN = ATT["origin"]
FIXED = frozenset({"ref", "project_id", "engine", "app", "task_id", "retried_as"})
MUTABLE = tuple(name for name in TASK_COLUMNS if name not in FIXED)
ATTEMPT_KEY = ("ref", "run", "attempt")
ATTEMPT_MUTABLE = tuple(
    name for name in ATTEMPT_COLUMNS if name not in (*ATTEMPT_KEY, "project_id")
)


class Writer(Protocol):
    """Reads and writes tasks and attempts in one transaction of one database."""

    def lock(self, conn: Connection, projects: Iterable[str]) -> None:
        """Let nobody else ingest these projects until the transaction ends."""
        ...

    def load(self, conn: Connection, table: str, refs: Sequence[str]) -> list[Values]:
        """Rows of `tasks` or `attempts` with these refs, in column order."""
        ...

    def insert(self, conn: Connection, table: str, rows: Iterable[Values]) -> None:
        """Add rows that are known to be new; they may be made while they are stored."""
        ...

    def update(self, conn: Connection, table: str, rows: Iterable[Values]) -> None:
        """Overwrite the mutable columns of rows that exist."""
        ...


def columns_of(table: str) -> tuple[str, ...]:
    """Columns of a task or attempt row, in the order rows have."""
    return TASK_COLUMNS if table == "tasks" else ATTEMPT_COLUMNS


def shape_of(table: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(key columns, columns an update may change)."""
    if table == "tasks":
        return ("ref",), MUTABLE
    return ATTEMPT_KEY, ATTEMPT_MUTABLE


def raw(conn: Connection) -> Any:
    """The driver's own connection, inside the same transaction."""
    return conn.connection.driver_connection
