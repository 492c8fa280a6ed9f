"""Rows of queues and their depth over time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from .model import queue_samples, queues


def known(conn: Connection, project_id: str) -> list[Row[Any]]:
    """Queues that agents have reported."""
    query = select(queues).where(queues.c.project_id == project_id)
    return list(conn.execute(query.order_by(queues.c.engine, queues.c.name).limit(2_000)))


def depths(conn: Connection, project_id: str, since_minute: int) -> list[Row[Any]]:
    """Depth per minute of every queue since a minute."""
    columns = queue_samples.c
    found: Select[*tuple[Any, ...]] = select(
        columns.engine, columns.app, columns.name, columns.minute, columns.depth
    )
    query = found.where(columns.project_id == project_id, columns.minute >= since_minute)
    return list(conn.execute(query.order_by(columns.minute).limit(50_000)))
