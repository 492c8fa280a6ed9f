"""The writer for SQLite. The rule: one prepared statement per set, run by the one writer thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from sqlalchemy import Connection

from .rows import Values
from .writer import columns_of, raw, shape_of

_CHUNK = 500


class SqliteWriter:
    """Plain inserts and updates; the single writer needs no lock."""

    def __init__(self) -> None:
        self._inserts = {table: _insert(table) for table in ("tasks", "attempts")}
        self._updates = {table: _update(table) for table in ("tasks", "attempts")}
        self._pick = {table: _picker(table) for table in ("tasks", "attempts")}

    def lock(self, conn: Connection, projects: Iterable[str]) -> None:
        """Nothing to do: the transaction began IMMEDIATE."""

    def load(self, conn: Connection, table: str, refs: Sequence[str]) -> list[Values]:
        """Rows with these refs, by chunks of a fixed size so that the statement stays prepared."""
        found: list[Values] = []
        names = ", ".join(columns_of(table))
        cursor = raw(conn).cursor()
        for part in _chunks(refs):
            marks = ", ".join("?" * len(part))
            cursor.execute(f"SELECT {names} FROM {table} WHERE ref IN ({marks})", part)  # noqa: S608
            found.extend(map(list, cursor.fetchall()))
        return found

    def insert(self, conn: Connection, table: str, rows: Iterable[Values]) -> None:
        """Add new rows."""
        raw(conn).cursor().executemany(self._inserts[table], rows)

    def update(self, conn: Connection, table: str, rows: Iterable[Values]) -> None:
        """Overwrite rows by key."""
        raw(conn).cursor().executemany(self._updates[table], map(self._pick[table], rows))


def _chunks(refs: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(refs), _CHUNK):
        part = refs[start : start + _CHUNK]
        if start and len(part) < _CHUNK:
            part = [*part, *[""] * (_CHUNK - len(part))]
        yield part


def _insert(table: str) -> str:
    names = columns_of(table)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608


def _update(table: str) -> str:
    keys, names = shape_of(table)
    changes = ", ".join(f"{name} = ?" for name in names)
    return f"UPDATE {table} SET {changes} WHERE {' AND '.join(f'{key} = ?' for key in keys)}"  # noqa: S608


def _picker(table: str) -> itemgetter[object]:
    keys, names = shape_of(table)
    place = {name: index for index, name in enumerate(columns_of(table))}
    return itemgetter(*(place[name] for name in (*names, *keys)))
