"""The writer for PostgreSQL. The rule: sets travel by COPY, one statement applies them.

New rows are copied straight into their table: the project's lock makes sure they are new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from sqlalchemy import Connection

from .rows import Values
from .writer import columns_of, raw, shape_of


class PostgresWriter:
    """COPY for what is new, COPY to a temporary table and UPDATE … FROM for what changed."""

    def lock(self, conn: Connection, projects: Iterable[str]) -> None:
        """Take each project's lock, in one order so that two brains cannot block each other."""
        cursor = raw(conn).cursor()
        for project in sorted(projects):
            number = int(project[:15], 16)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (number,))

    def load(self, conn: Connection, table: str, refs: Sequence[str]) -> list[Values]:
        """Rows with these refs."""
        if not refs:
            return []
        names = ", ".join(
            f"{name}::text" if name in {"headers", "tags", "progress", "extra"} else name
            for name in columns_of(table)
        )
        cursor = raw(conn).cursor(binary=True)
        cursor.execute(f"SELECT {names} FROM {table} WHERE ref = ANY(%s)", (list(refs),))  # noqa: S608
        return list(map(list, cursor.fetchall()))

    def insert(self, conn: Connection, table: str, rows: Iterable[Values]) -> None:
        """COPY new rows into their table."""
        first = next(iterator := iter(rows), None)
        if first is not None:
            _copy(conn, table, chain((first,), iterator), columns_of(table))

    def update(self, conn: Connection, table: str, rows: Iterable[Values]) -> None:
        """COPY to a temporary table, then one UPDATE."""
        first = next(iterator := iter(rows), None)
        if first is None:
            return
        cursor = raw(conn).cursor()
        cursor.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS new_{table} (LIKE {table}) ON COMMIT DELETE ROWS"
        )
        _copy(conn, f"new_{table}", chain((first,), iterator), columns_of(table))
        keys, names = shape_of(table)
        changes = ", ".join(f"{name} = n.{name}" for name in names)
        match = " AND ".join(f"t.{key} = n.{key}" for key in keys)
        cursor.execute(f"UPDATE {table} t SET {changes} FROM new_{table} n WHERE {match}")  # noqa: S608


def _copy(conn: Connection, table: str, rows: Iterable[Values], names: Sequence[str]) -> None:
    cursor = raw(conn).cursor()
    with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
