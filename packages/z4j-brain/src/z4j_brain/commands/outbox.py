"""Commands on their way to agents. The rule: a row is claimed by one brain, and sent after that.

States: ready → sent → accepted → a terminal one; `expired` before sending, `no_answer` after.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from .model import bulk_items, commands
from .results import OPEN, recount

GRACE_US = 60_000_000
_PICK = 200
Row = dict[str, Any]


def ready(conn: Connection, projects: list[str], now_us: int) -> list[Row]:
    """Commands of these projects that wait to be sent, oldest first."""
    rows = conn.execute(
        select(commands)
        .where(
            and_(
                commands.c.state == "ready",
                commands.c.project_id.in_(projects),
                commands.c.deadline > now_us,
            )
        )
        .order_by(commands.c.created)
        .limit(_PICK)
    ).mappings()
    return [dict(row) for row in rows]


def on_the_way(conn: Connection, project_id: str, now_us: int) -> list[Row]:
    """Commands that were sent and have no result yet: they go again on a new session."""
    rows = conn.execute(
        select(commands)
        .where(
            and_(
                commands.c.project_id == project_id,
                commands.c.state.in_(("sent", "accepted")),
                commands.c.deadline > now_us,
            )
        )
        .order_by(commands.c.created)
        .limit(_PICK)
    ).mappings()
    return [dict(row) for row in rows]


def claim(conn: Connection, cmd_id: str, streams: list[str], now_us: int) -> bool:
    """Mark a ready command as sent to these streams; False when another brain was faster."""
    claimed = conn.execute(
        update(commands)
        .where(and_(commands.c.cmd_id == cmd_id, commands.c.state == "ready"))
        .values(state="sent", sent_to=streams, sent_at=now_us, v=commands.c.v + 1)
    ).rowcount
    if claimed:
        _mark(conn, [cmd_id], ("held", "sealed"), "sent", now_us)
    return bool(claimed)


def move(conn: Connection, cmd_id: str, streams: list[str]) -> None:
    """Remember that a command for any agent of a broker now lies with another one."""
    conn.execute(update(commands).where(commands.c.cmd_id == cmd_id).values(sent_to=streams))


def refuse(conn: Connection, cmd_id: str, code: str, detail: str, now_us: int) -> None:
    """End a command that must not be sent."""
    conn.execute(
        update(commands)
        .where(and_(commands.c.cmd_id == cmd_id, commands.c.state.in_(OPEN)))
        .values(
            state="refused",
            result={"code": code, "detail": detail},
            finished=now_us,
            v=commands.c.v + 1,
        )
    )
    _mark(conn, [cmd_id], ("held", "sealed", "sent", "accepted"), "refused", now_us)


def abort(conn: Connection, cmd_id: str, now_us: int) -> str | None:
    """Abort a command that was not sent; returns the state it had."""
    state: str | None = conn.execute(
        select(commands.c.state).where(commands.c.cmd_id == cmd_id).with_for_update()
    ).scalar()
    if state == "ready":
        conn.execute(
            update(commands)
            .where(commands.c.cmd_id == cmd_id)
            .values(state="aborted", finished=now_us, v=commands.c.v + 1)
        )
        _mark(conn, [cmd_id], ("held", "sealed"), "undone", now_us)
    return state


def _late(now_us: int) -> ColumnElement[bool]:
    waiting = and_(commands.c.state == "ready", commands.c.deadline <= now_us)
    silent = and_(
        commands.c.state.in_(("sent", "accepted")), commands.c.deadline <= now_us - GRACE_US
    )
    return or_(waiting, silent)


def any_overdue(conn: Connection, now_us: int) -> bool:
    """Whether `overdue` would end anything."""
    return conn.execute(select(commands.c.cmd_id).where(_late(now_us)).limit(1)).first() is not None


def overdue(conn: Connection, now_us: int) -> list[tuple[str, str]]:
    """End what is past its deadline; returns (project, command) of each."""
    rows = conn.execute(
        select(commands.c.project_id, commands.c.cmd_id, commands.c.state)
        .where(_late(now_us))
        .limit(_PICK)
    ).all()
    for state, waiting, item in (
        ("expired", [row.cmd_id for row in rows if row.state == "ready"], "expired"),
        ("no_answer", [row.cmd_id for row in rows if row.state != "ready"], "indeterminate"),
    ):
        if waiting:
            conn.execute(
                update(commands)
                .where(and_(commands.c.cmd_id.in_(waiting), commands.c.state.in_(OPEN)))
                .values(state=state, finished=now_us, v=commands.c.v + 1)
            )
            _mark(conn, waiting, ("held", "sealed", "sent", "accepted"), item, now_us)
    return [(row.project_id, row.cmd_id) for row in rows]


def _mark(
    conn: Connection, cmd_ids: Iterable[str], states: tuple[str, ...], state: str, now_us: int
) -> None:
    mine = and_(bulk_items.c.cmd_id.in_(list(cmd_ids)), bulk_items.c.state.in_(states))
    bulks = conn.execute(select(bulk_items.c.bulk_id).where(mine).distinct()).scalars().all()
    if not bulks:
        return
    code = {"expired": "agent.none", "indeterminate": "engine.indeterminate"}.get(state)
    conn.execute(update(bulk_items).where(mine).values(state=state, code=code))
    for bulk_id in bulks:
        recount(conn, bulk_id, now_us)
