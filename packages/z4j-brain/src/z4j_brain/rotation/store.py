"""Rows under root secrets. The rule: what a root wrapped is counted, also what is ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Row, Table, and_, delete, func, select, update

from ..agents.model import agent_keys
from ..agents.service import place_of as place_of_agent_key
from ..auth.model import keyring
from ..auth.service import place_of as place_in_keyring
from ..commands.model import commands
from ..commands.results import OPEN
from ..db.upsert import upsert
from .model import replicas

LOCK = 7234017


class Wrapped(NamedTuple):
    """A table with a column `wrapped`, and what the blob of a row is bound to."""

    table: Table
    place: Callable[[Row[Any]], str]


WRAPPED = (
    Wrapped(agent_keys, lambda row: place_of_agent_key(row.cred_id, row.kid)),
    Wrapped(keyring, lambda row: place_in_keyring(row.name)),
)


def counts(conn: Connection) -> dict[tuple[str, str], int]:
    """How many rows need a root, by (its kid, table); of commands those still open."""
    found: dict[tuple[str, str], int] = {}
    for table in (one.table for one in WRAPPED):
        query = select(table.c.root_kid, func.count()).group_by(table.c.root_kid)
        found |= {(kid, table.name): number for kid, number in conn.execute(query)}
    is_open = commands.c.state.in_(OPEN)
    query = select(commands.c.root_kid, func.count()).where(is_open).group_by(commands.c.root_kid)
    return found | {(kid, commands.name): number for kid, number in conn.execute(query)}


def foreign(conn: Connection, table: Table, kid: str, limit: int) -> list[Row[Any]]:
    """Rows of a table that another root than `kid` wrapped; no two brains get the same."""
    query = select(table).where(table.c.root_kid != kid).limit(limit)
    return list(conn.execute(query.with_for_update(skip_locked=True)))


def replace(conn: Connection, table: Table, row: Row[Any], kid: str, wrapped: bytes) -> None:
    """Store the blob of a row anew."""
    columns: list[Column[Any]] = list(table.primary_key)
    mine = and_(*(column == getattr(row, column.name) for column in columns))
    conn.execute(update(table).where(mine).values(root_kid=kid, wrapped=wrapped))


def alone(conn: Connection) -> None:
    """Let one brain at a time decide, until the transaction ends."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def beat(conn: Connection, replica: str, kids: tuple[str, ...], now_us: int) -> None:
    """Say that this brain runs and which roots it can read."""
    upsert(conn, replicas, [{"id": replica, "kids": list(kids), "seen": now_us}])


def gone(conn: Connection, replica: str, before_us: int) -> None:
    """Forget this brain, and those that were not heard since `before_us`."""
    over = (replicas.c.id == replica) | (replicas.c.seen < before_us)
    conn.execute(delete(replicas).where(over))


def known_kids(conn: Connection, since_us: int) -> list[set[str]]:
    """What each brain heard since then can read."""
    rows = conn.execute(select(replicas.c.kids).where(replicas.c.seen >= since_us))
    return [set(kids) for (kids,) in rows]
