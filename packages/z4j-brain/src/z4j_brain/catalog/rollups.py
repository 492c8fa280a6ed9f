"""Reads of definitions and of the rollups per minute. The rule: a page never scans tasks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from ..tasks.model import rollup_minute, task_defs, tasks

MINUTE_US = 60_000_000
MAX_HISTOGRAMS = 20_000
_COUNTS = ("enqueued", "started", "succeeded", "failed", "retried", "cancelled", "expired", "lost")


def _window(project_id: str, from_us: int, to_us: int) -> list[ColumnElement[bool]]:
    return [
        rollup_minute.c.project_id == project_id,
        rollup_minute.c.minute >= from_us // MINUTE_US,
        rollup_minute.c.minute <= to_us // MINUTE_US,
    ]


def sums(*names: str) -> list[Any]:
    """Sums of counting columns, each under its own name."""
    return [func.coalesce(func.sum(rollup_minute.c[name]), 0).label(name) for name in names]


def by_definition(conn: Connection, project_id: str, from_us: int, to_us: int) -> list[Row[Any]]:
    """Counts of every definition seen in the window."""
    place = (rollup_minute.c.engine, rollup_minute.c.name)
    query: Select[*tuple[Any, ...]] = select(*place, *sums(*_COUNTS)).where(
        *_window(project_id, from_us, to_us)
    )
    return list(conn.execute(query.group_by(*place)))


def by_queue(conn: Connection, project_id: str, from_us: int, to_us: int) -> list[Row[Any]]:
    """What went in and out of every queue in the window."""
    place = (rollup_minute.c.engine, rollup_minute.c.queue)
    query: Select[*tuple[Any, ...]] = select(*place, *sums("enqueued", "started")).where(
        *_window(project_id, from_us, to_us)
    )
    return list(conn.execute(query.group_by(*place)))


def by_minute(
    conn: Connection, project_id: str, from_us: int, to_us: int, name: tuple[str, str] | None = None
) -> list[Row[Any]]:
    """Counts per minute, of one (engine, definition) or of all."""
    query: Select[*tuple[Any, ...]] = select(rollup_minute.c.minute, *sums(*_COUNTS)).where(
        *_window(project_id, from_us, to_us)
    )
    if name is not None:
        query = query.where(rollup_minute.c.engine == name[0], rollup_minute.c.name == name[1])
    return list(conn.execute(query.group_by(rollup_minute.c.minute)))


def failures_by_minute(
    conn: Connection, project_id: str, from_us: int, to_us: int, names: list[str]
) -> list[Row[Any]]:
    """Failures per (engine, definition, minute) of some definitions."""
    place = (rollup_minute.c.engine, rollup_minute.c.name, rollup_minute.c.minute)
    query: Select[*tuple[Any, ...]] = select(*place, *sums("failed")).where(
        *_window(project_id, from_us, to_us), rollup_minute.c.name.in_(names)
    )
    return list(conn.execute(query.group_by(*place)))


def histograms(conn: Connection, project_id: str, from_us: int, to_us: int) -> list[Row[Any]]:
    """(engine, name, minute, runtime histogram); empty when there are too many to merge."""
    query: Select[*tuple[Any, ...]] = (
        select(
            rollup_minute.c.engine, rollup_minute.c.name, rollup_minute.c.minute,
            rollup_minute.c.runtime_hist,
        )
        .where(*_window(project_id, from_us, to_us), rollup_minute.c.runtime_hist.is_not(None))
        .limit(MAX_HISTOGRAMS + 1)
    )  # fmt: skip
    rows = list(conn.execute(query))
    return rows if len(rows) <= MAX_HISTOGRAMS else []


def histograms_of(
    conn: Connection, project_id: str, from_us: int, to_us: int, engine: str, name: str
) -> list[Row[Any]]:
    """(engine, name, minute, runtime histogram) of one definition."""
    query: Select[*tuple[Any, ...]] = (
        select(
            rollup_minute.c.engine, rollup_minute.c.name, rollup_minute.c.minute,
            rollup_minute.c.runtime_hist,
        )
        .where(
            *_window(project_id, from_us, to_us), rollup_minute.c.engine == engine,
            rollup_minute.c.name == name, rollup_minute.c.runtime_hist.is_not(None),
        )
        .limit(MAX_HISTOGRAMS)
    )  # fmt: skip
    return list(conn.execute(query))


def registered(conn: Connection, project_id: str) -> list[Row[Any]]:
    """Definitions agents have told about."""
    query = select(task_defs).where(task_defs.c.project_id == project_id)
    return list(conn.execute(query.order_by(task_defs.c.engine, task_defs.c.name).limit(5_000)))


def last_failure(conn: Connection, project_id: str, engine: str, name: str) -> Row[Any] | None:
    """The newest failed task of a definition among its newest thousand."""
    newest = (
        select(tasks.c.ref, tasks.c.at, tasks.c.state, tasks.c.exc_type, tasks.c.exc_message)
        .where(tasks.c.project_id == project_id, tasks.c.name == name, tasks.c.engine == engine)
        .order_by(tasks.c.at.desc())
        .limit(1_000)
        .subquery()
    )
    failed = select(newest).where(newest.c.state.in_((5, 8)), newest.c.exc_type.is_not(None))
    return conn.execute(failed.order_by(newest.c.at.desc()).limit(1)).first()
