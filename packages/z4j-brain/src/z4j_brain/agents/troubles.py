"""Trouble that agents told of and that is not over. The rule: who has gone has no trouble.

An agent tells when trouble begins and when it is over; in between it lasts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, func, select

from .model import notes

WARNING = 30
Who = tuple[str, str, str]
"""Stream, engine and app."""


def lasting(
    conn: Connection, project_id: str, code: str, streams: Iterable[str]
) -> dict[Who, Row[Any]]:
    """The newest note of a code by each of some agents about each group, where it is a warning."""
    own = (notes.c.project_id == project_id, notes.c.code == code)
    newest = (
        select(func.max(notes.c.id))
        .where(*own, notes.c.stream.in_(sorted(set(streams))), notes.c.engine.is_not(None))
        .group_by(notes.c.stream, notes.c.engine, notes.c.app)
    )
    query = select(notes).where(notes.c.id.in_(newest), notes.c.level >= WARNING)
    return {(row.stream, row.engine, row.app): row for row in conn.execute(query)}
