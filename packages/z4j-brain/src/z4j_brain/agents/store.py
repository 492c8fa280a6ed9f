"""Rows of agent keys, sessions and streams."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, insert, select, update

from ..db.upsert import upsert
from ..projects.model import projects
from .model import agent_keys, agents, refused_attempts, stream_owners, streams


class KeyRow(NamedTuple):
    """One agent key as stored."""

    cred_id: str
    kid: int
    project_id: str
    slug: str
    role: str
    label: str | None
    wrapped: bytes
    root_kid: str
    created: int
    retired: int | None
    revoked: int | None
    last_used: int | None


_COLUMNS = (
    agent_keys.c.cred_id,
    agent_keys.c.kid,
    agent_keys.c.project_id,
    projects.c.slug,
    agent_keys.c.role,
    agent_keys.c.label,
    agent_keys.c.wrapped,
    agent_keys.c.root_kid,
    agent_keys.c.created,
    agent_keys.c.retired,
    agent_keys.c.revoked,
    agent_keys.c.last_used,
)


def key(conn: Connection, cred_id: str, kid: int) -> KeyRow | None:
    """One key of one credential, whatever its state."""
    row = conn.execute(
        select(*_COLUMNS)
        .join(projects, projects.c.id == agent_keys.c.project_id)
        .where(and_(agent_keys.c.cred_id == cred_id, agent_keys.c.kid == kid))
    ).first()
    return KeyRow._make(row) if row else None


def keys(conn: Connection, project_id: str) -> list[KeyRow]:
    """All keys of a project, oldest first."""
    rows = conn.execute(
        select(*_COLUMNS)
        .join(projects, projects.c.id == agent_keys.c.project_id)
        .where(agent_keys.c.project_id == project_id)
        .order_by(agent_keys.c.created, agent_keys.c.cred_id, agent_keys.c.kid)
    )
    return [KeyRow._make(row) for row in rows]


def kids(conn: Connection, cred_id: str) -> list[tuple[int, bool]]:
    """(kid, is live) of every key a credential ever had."""
    rows = conn.execute(
        select(agent_keys.c.kid, agent_keys.c.retired, agent_keys.c.revoked).where(
            agent_keys.c.cred_id == cred_id
        )
    )
    return [(kid, retired is None and revoked is None) for kid, retired, revoked in rows]


def add(conn: Connection, row: dict[str, Any]) -> None:
    """Store a new key."""
    conn.execute(insert(agent_keys), [row])


def stamp(conn: Connection, cred_id: str, kid: int | None, **times: int) -> int:
    """Set `retired`, `revoked` or `last_used` of one key or all keys; returns how many."""
    where = agent_keys.c.cred_id == cred_id
    if kid is not None:
        where = and_(where, agent_keys.c.kid == kid)
    return conn.execute(update(agent_keys).where(where).values(**times)).rowcount


def add_refused(conn: Connection, row: dict[str, Any]) -> None:
    """Remember who was refused and why."""
    conn.execute(insert(refused_attempts), [row])


def owner(conn: Connection, stream: str) -> tuple[str, str, int] | None:
    """(project, credential, epoch) of a stream somebody has opened."""
    table = stream_owners
    row = conn.execute(
        select(table.c.project_id, table.c.cred_id, table.c.epoch).where(table.c.stream == stream)
    ).first()
    return (row[0], row[1], row[2]) if row else None


def own(conn: Connection, stream: str, project_id: str, cred_id: str, epoch: int) -> None:
    """Remember who owns a stream and its newest epoch."""
    upsert(
        conn,
        stream_owners,
        [{"stream": stream, "project_id": project_id, "cred_id": cred_id, "epoch": epoch}],
        keep=("project_id", "cred_id"),
    )


def open_segment(conn: Connection, row: dict[str, Any]) -> int:
    """Make sure a segment has its row; returns its watermark."""
    upsert(conn, streams, [row], keep=("project_id", "cred_id", "meta", "opened"))
    place = and_(
        streams.c.stream == row["stream"],
        streams.c.cls == row["cls"],
        streams.c.segment == row["segment"],
    )
    return int(conn.execute(select(streams.c.watermark).where(place)).scalar_one())


def end_segments(conn: Connection, places: list[tuple[str, int, str]], now_us: int) -> None:
    """Segments that are read to the end and deleted on their host."""
    for stream, cls, segment in places:
        conn.execute(
            update(streams)
            .where(
                and_(
                    streams.c.stream == stream,
                    streams.c.cls == cls,
                    streams.c.segment == segment,
                )
            )
            .values(done=now_us)
        )


def put_agent(conn: Connection, row: dict[str, Any]) -> None:
    """Store what a process says about itself."""
    upsert(conn, agents, [row], add=("sessions",))


def change_agents(conn: Connection, session: str, **values: Any) -> None:
    """Change the row of a session, if it is still the stream's newest."""
    conn.execute(update(agents).where(agents.c.session == session).values(**values))


def live_keys(conn: Connection, cred_ids: set[str]) -> set[tuple[str, int]]:
    """Keys of these credentials that may have sessions."""
    rows = conn.execute(
        select(agent_keys.c.cred_id, agent_keys.c.kid).where(
            and_(
                agent_keys.c.cred_id.in_(sorted(cred_ids)),
                agent_keys.c.retired.is_(None),
                agent_keys.c.revoked.is_(None),
            )
        )
    )
    return {(cred_id, kid) for cred_id, kid in rows}


def sessions(conn: Connection, project_id: str) -> dict[tuple[str, int], int]:
    """How many agents are connected by each key of a project."""
    rows = conn.execute(
        select(agents.c.cred_id, agents.c.kid, func.count())
        .where(and_(agents.c.project_id == project_id, agents.c.connected.is_(True)))
        .group_by(agents.c.cred_id, agents.c.kid)
    )
    return {(cred_id, kid): number for cred_id, kid, number in rows}


def disconnect_silent(conn: Connection, before_us: int) -> None:
    """Mark sessions that were not heard since `before_us` as over."""
    conn.execute(
        update(agents)
        .where(and_(agents.c.connected.is_(True), agents.c.last_beat < before_us))
        .values(connected=False, disconnected_at=agents.c.last_beat)
    )
