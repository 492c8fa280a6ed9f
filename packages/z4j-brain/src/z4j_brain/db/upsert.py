"""Insert or update, the same on both databases. The rule: one statement for any number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]


def upsert(
    conn: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    keep: Iterable[str] = (),
    add: Iterable[str] = (),
) -> None:
    """Insert `rows`; where the primary key exists, overwrite.

    Columns in `keep` stay as first stored, columns in `add` grow by the new value. All rows
    have the same columns; no primary key occurs twice.
    """
    if not rows:
        return
    keys = {column.name for column in table.primary_key}
    kept = keys | set(keep)
    added = set(add)
    make = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = make(table)
    new = statement.excluded
    changes = {
        name: table.c[name] + new[name] if name in added else new[name]
        for name in rows[0]
        if name not in kept
    }
    if changes:
        statement = statement.on_conflict_do_update(
            index_elements=list(table.primary_key), set_=changes
        )
    else:
        statement = statement.on_conflict_do_nothing()
    conn.execute(statement, list(rows))
