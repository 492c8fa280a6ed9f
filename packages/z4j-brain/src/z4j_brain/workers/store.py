"""Rows of workers with the agents that speak for them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from ..agents.model import agents
from ..tasks.model import tasks
from .model import workers

MAX_RECENT = 20_000


def listed(conn: Connection, project_id: str, since_us: int) -> list[Row[Any]]:
    """Workers heard since, with their agents, newest first."""
    agent = (
        agents.c.connected, agents.c.agent_version, agents.c.policy, agents.c.storage,
        agents.c.transport,
        agents.c.spool_bytes, agents.c.spool_lost, agents.c.lag_ms, agents.c.rss_kb,
        agents.c.last_beat, agents.c.pid,
    )  # fmt: skip
    same = and_(agents.c.project_id == workers.c.project_id, agents.c.stream == workers.c.stream)
    query = (
        select(workers, *agent)
        .outerjoin(agents, same)
        .where(workers.c.project_id == project_id, workers.c.heard >= since_us)
    )
    return list(conn.execute(query.order_by(workers.c.heard.desc()).limit(2_000)))


def recent_ends(conn: Connection, project_id: str, since_us: int) -> dict[str, tuple[int, int]]:
    """Worker to (ended, failed) among the newest tasks since; bounded."""
    newest = (
        select(tasks.c.worker, tasks.c.state)
        .where(tasks.c.project_id == project_id, tasks.c.at >= since_us)
        .order_by(tasks.c.at.desc())
        .limit(MAX_RECENT)
        .subquery()
    )
    rows = conn.execute(
        select(newest.c.worker, newest.c.state, func.count())
        .where(newest.c.state >= 5)  # noqa: PLR2004 - states from retrying on have ended
        .group_by(newest.c.worker, newest.c.state)
    )
    found: dict[str, tuple[int, int]] = {}
    for worker, state, n in rows:
        ended, failed = found.get(worker or "", (0, 0))
        found[worker or ""] = (ended + n, failed + (n if state in (5, 8) else 0))
    return found


def names_of(conn: Connection, refs: list[str]) -> dict[str, tuple[str, int | None]]:
    """Ref to (task name, started µs)."""
    query = select(tasks.c.ref, tasks.c.name, tasks.c.started).where(tasks.c.ref.in_(refs))
    return {ref: (name or "", started) for ref, name, started in conn.execute(query)}
