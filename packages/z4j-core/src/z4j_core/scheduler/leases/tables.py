"""Tables of the SQL stores and what they are spoken to with. The rule: two dialects, one shape.

Statements are written with `:name`; `Statements` runs them inside a transaction of its maker. The
time is the database's: `now` in a statement stands for its clock in milliseconds, as it is then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

POSTGRESQL = "postgresql"
SQLITE = "sqlite"
_WORDS = {
    POSTGRESQL: {
        "{now}": "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)",
        "{greatest}": "greatest",
        "{lock}": "FOR UPDATE",
        "{names}": "SELECT json_array_elements_text(CAST(:names AS json))",
    },
    SQLITE: {
        "{now}": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
        "{greatest}": "max",
        "{lock}": "",
        "{names}": "SELECT value FROM json_each(:names)",
    },
}
_NAME = re.compile(r"(?<!:):([a-z]\w*)")
_ROWS = re.compile(r"\{rows:(.*?)\}")
TABLES = ("z4j_lease", "z4j_cursor", "z4j_open", "z4j_guard", "z4j_run", "z4j_snapshot")
_DDL = """
CREATE TABLE IF NOT EXISTS z4j_lease (
  grp TEXT PRIMARY KEY, owner TEXT NOT NULL, epoch BIGINT NOT NULL, expires_ms BIGINT NOT NULL,
  fp TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS z4j_cursor (
  grp TEXT NOT NULL, schedule TEXT NOT NULL, generation BIGINT NOT NULL, slot_ms BIGINT NOT NULL,
  fires BIGINT NOT NULL, failures BIGINT NOT NULL, last TEXT NOT NULL, PRIMARY KEY (grp, schedule));
CREATE TABLE IF NOT EXISTS z4j_open (
  grp TEXT NOT NULL, fire_id TEXT NOT NULL, schedule TEXT NOT NULL, generation BIGINT NOT NULL,
  slot_ms BIGINT NOT NULL, record BLOB NOT NULL, state TEXT NOT NULL, enq BIGINT NOT NULL,
  epoch BIGINT NOT NULL, claimed_ms BIGINT NOT NULL, PRIMARY KEY (grp, fire_id));
CREATE TABLE IF NOT EXISTS z4j_guard (
  grp TEXT NOT NULL, fire_id TEXT NOT NULL, enq BIGINT NOT NULL, until_ms BIGINT NOT NULL,
  PRIMARY KEY (grp, fire_id));
CREATE INDEX IF NOT EXISTS z4j_guard_until ON z4j_guard (grp, until_ms);
CREATE TABLE IF NOT EXISTS z4j_run (
  grp TEXT NOT NULL, schedule TEXT NOT NULL, fire_id TEXT NOT NULL, since_ms BIGINT NOT NULL,
  seen_ms BIGINT NOT NULL, started BIGINT NOT NULL, ended BIGINT NOT NULL,
  PRIMARY KEY (grp, schedule, fire_id));
CREATE INDEX IF NOT EXISTS z4j_run_seen ON z4j_run (grp, seen_ms);
CREATE TABLE IF NOT EXISTS z4j_snapshot (
  grp TEXT NOT NULL, bucket BIGINT NOT NULL, rev TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (grp, bucket))
"""


class Statements(Protocol):
    """A connection inside a transaction. Rows come as tuples, in the order of their columns."""

    dialect: str

    def rows(self, statement: str, values: Mapping[str, Any]) -> list[Sequence[Any]]:
        """Run one statement; its rows, none where it gives none."""
        ...

    def each(self, statement: str, values: Iterable[Mapping[str, Any]]) -> None:
        """Run one statement for each of many values."""
        ...


class OverDbapi:
    """Statements over a connection of psycopg 3 or of sqlite3."""

    def __init__(self, connection: Any, dialect: str) -> None:
        self.dialect = dialect
        self._connection = connection

    def rows(self, statement: str, values: Mapping[str, Any]) -> list[Sequence[Any]]:
        """Run one statement; its rows."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(in_dialect(statement, self.dialect), values)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            cursor.close()

    def each(self, statement: str, values: Iterable[Mapping[str, Any]]) -> None:
        """Run one statement for each of many values."""
        rows = list(values)
        if not rows:
            return
        if self.dialect == POSTGRESQL and _ROWS.search(statement):
            self.rows(statement, in_columns(rows))
            return
        cursor = self._connection.cursor()
        try:
            cursor.executemany(in_dialect(statement, self.dialect), rows)
        finally:
            cursor.close()


def ddl(dialect: str) -> list[str]:
    """Statements that make the tables where they are not; each may be run again."""
    text = _DDL.replace(" BLOB ", " bytea ") if dialect == POSTGRESQL else _DDL
    return [statement.strip() for statement in text.split(";")]


def in_dialect(statement: str, dialect: str) -> str:
    """A statement as the driver of a dialect wants it."""
    for word, meant in _WORDS[dialect].items():
        statement = statement.replace(word, meant)
    statement = _ROWS.sub(lambda found: _rows(found[1], dialect), statement)
    return statement if dialect == SQLITE else _NAME.sub(r"%(\1)s", statement)


def in_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows as PostgreSQL takes many at once where a statement says `{rows:…}`: as arrays."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def _rows(columns: str, dialect: str) -> str:
    """`name type, …`: one row of SQLite, or all rows of PostgreSQL out of arrays."""
    pairs = [column.split() for column in columns.split(",")]
    if dialect == SQLITE:
        return f"VALUES ({', '.join(f':{name}' for name, _ in pairs)})"
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in pairs)
    return f"SELECT * FROM unnest({arrays})"  # noqa: S608  (names of ours)


def is_there(db: Statements) -> bool:
    """Whether the tables exist, as far as this connection can see."""
    found = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ({names})"
    if db.dialect == POSTGRESQL:
        found = (
            "SELECT count(*) FROM pg_catalog.pg_class WHERE relname IN ({names})"
            " AND relkind IN ('r', 'p') AND pg_catalog.pg_table_is_visible(oid)"
        )
    return int(db.rows(found, {"names": json.dumps(TABLES)})[0][0]) == len(TABLES)
