"""Reads of the Now page. The rule: rollups and indexes, never a scan of tasks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from ..agents.model import agents, lost_facts, refused_attempts
from ..tasks.model import tasks
from ..workers.model import workers

CAP = 10_000
MINUTE_US = 60_000_000


def in_state(conn: Connection, project_id: str, state: int) -> int:
    """Tasks in a state, counted to a cap."""
    some = (
        select(tasks.c.ref)
        .where(tasks.c.project_id == project_id, tasks.c.state == state)
        .limit(CAP + 1)
        .subquery()
    )
    return int(conn.execute(select(func.count()).select_from(some)).scalar_one())


def lost_since(conn: Connection, project_id: str, since_us: int) -> int:
    """Facts that agents reported lost since."""
    query = select(func.coalesce(func.sum(lost_facts.c.n), 0)).where(
        lost_facts.c.project_id == project_id, lost_facts.c.minute >= since_us // MINUTE_US
    )
    return int(conn.execute(query).scalar_one())


def refused_since(conn: Connection, project_id: str, since_us: int) -> int:
    """Agents turned away since."""
    query = select(func.count()).where(
        refused_attempts.c.project_id == project_id, refused_attempts.c.at >= since_us
    )
    return int(conn.execute(query).scalar_one())


def gone_workers(conn: Connection, project_id: str, since_us: int) -> list[Row[Any]]:
    """Workers that died or fell silent since."""
    query = select(workers).where(
        workers.c.project_id == project_id, workers.c.state.in_(("died", "offline")),
        workers.c.state_at >= since_us,
    )  # fmt: skip
    return list(conn.execute(query.order_by(workers.c.state_at.desc()).limit(20)))


def silent_agents(conn: Connection, project_id: str, before_us: int) -> int:
    """Agents with an open session that have not been heard since."""
    query = select(func.count()).where(
        agents.c.project_id == project_id, agents.c.connected.is_(True),
        agents.c.last_beat < before_us,
    )  # fmt: skip
    return int(conn.execute(query).scalar_one())
