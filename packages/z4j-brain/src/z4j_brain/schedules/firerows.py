"""Rows of fires, by page. The rule: the list of a schedule never reads the fires of another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, select
from sqlalchemy.orm import aliased

from ..commands.model import bulk_items
from .model import fires, schedules

STRIP = 30
NEWEST = 5_000
_SENT, _TIMER = 3, 1
STATUSES = (
    "", "claimed", "buffered", "sent", "skipped", "missed", "expired", "refused", "failed",
    "duplicate_suppressed",
)  # fmt: skip
"""Index = number of the status on the wire and in the database."""
TRIGGERS = ("", "timer", "manual", "catchup", "backfill", "replay", "on_start")


def page(
    conn: Connection, where: Sequence[ColumnElement[bool]], before: tuple[int, str] | None,
    limit: int,
) -> list[Row[Any]]:  # fmt: skip
    """Fires with the name of their schedule, newest slot first."""
    query = (
        select(fires, schedules.c.name.label("schedule_name"), schedules.c.task.label("definition"))
        .outerjoin(schedules, schedules.c.id == fires.c.schedule_id)
        .where(*where)
    )
    if before is not None:
        slot, fire_id = before
        older = and_(fires.c.slot_ms == slot, fires.c.fire_id < fire_id)
        query = query.where((fires.c.slot_ms < slot) | older)
    query = query.order_by(fires.c.slot_ms.desc(), fires.c.fire_id.desc()).limit(limit)
    return list(conn.execute(query))


def one(conn: Connection, schedule_id: str, fire_id: str) -> Row[Any] | None:
    """A fire of a schedule."""
    query = select(fires).where(fires.c.fire_id == fire_id, fires.c.schedule_id == schedule_id)
    return conn.execute(query).first()


def claims(conn: Connection, row: Row[Any]) -> int:
    """How many slots of a schedule's generation were claimed, as far as it was told."""
    query = select(func.count()).where(
        fires.c.schedule_id == row.id, fires.c.generation == row.generation,
        fires.c.trigger.in_((1, 3, 6)), fires.c.status.in_((1, 2, 3, 8, 9)),
    )  # fmt: skip
    return int(conn.execute(query).scalar_one())


def any_running(conn: Connection, bulk_id: str, since_us: int) -> bool:
    """Whether a fire of a backfill is on its way, or was placed since and has not ended."""
    on_its_way = ("sealed", "sent", "accepted", "done")
    same = and_(fires.c.fire_id == bulk_items.c.task_id, fires.c.nonce == bulk_items.c.bulk_id)
    query = (
        select(bulk_items.c.idx)
        .outerjoin(fires, same)
        .where(
            bulk_items.c.bulk_id == bulk_id, bulk_items.c.state.in_(on_its_way),
            fires.c.ended.is_(None), fires.c.sent.is_(None) | (fires.c.sent > since_us),
        )
    )  # fmt: skip
    return conn.execute(query.limit(1)).first() is not None


def strips(conn: Connection, ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """The newest fires of each schedule, oldest first."""
    wanted = sorted(set(ids))
    inner = aliased(fires)
    thirtieth = (
        select(inner.c.slot_ms)
        .where(inner.c.schedule_id == schedules.c.id)
        .order_by(inner.c.slot_ms.desc())
        .offset(STRIP - 1)
        .limit(1)
        .scalar_subquery()
    )
    since = func.coalesce(thirtieth, literal(-(1 << 62)))
    columns = ("schedule_id", "slot_ms", "fire_id", "status", "state", "lag_ms", "trigger")
    query = (
        select(*(fires.c[name] for name in columns))
        .join(schedules, schedules.c.id == fires.c.schedule_id)
        .where(schedules.c.id.in_(wanted), fires.c.slot_ms >= since)
        .order_by(fires.c.schedule_id, fires.c.slot_ms, fires.c.fire_id)
    )
    found: dict[str, list[Row[Any]]] = {each: [] for each in wanted}
    for row in conn.execute(query):
        found[row.schedule_id].append(row)
    return {each: rows[-STRIP:] for each, rows in found.items()}


def days(conn: Connection, schedule_id: str, from_ms: int, to_ms: int, most: int) -> list[Row[Any]]:
    """What a calendar of days counts, of the slots from a time up to another."""
    columns = ("slot_ms", "slot_local", "status", "state", "lag_ms", "count")
    query = select(*(fires.c[name] for name in columns)).where(
        fires.c.schedule_id == schedule_id, fires.c.slot_ms >= from_ms, fires.c.slot_ms < to_ms
    )
    return list(conn.execute(query.order_by(fires.c.slot_ms.desc()).limit(most)))


def lags(conn: Connection, project_id: str) -> dict[tuple[str, str], list[int]]:
    """How late (ms) the timers of each group placed their fires, of the project's newest ones."""
    columns = ("engine", "app", "status", "trigger", "lag_ms")
    newest = (
        select(*(fires.c[name] for name in columns))
        .where(fires.c.project_id == project_id)
        .order_by(fires.c.slot_ms.desc(), fires.c.fire_id.desc())
        .limit(NEWEST)
        .subquery()
    )
    query = select(newest.c.engine, newest.c.app, newest.c.lag_ms).where(
        newest.c.status == _SENT, newest.c.trigger == _TIMER
    )
    found: dict[tuple[str, str], list[int]] = {}
    for engine, app, lag_ms in conn.execute(query):
        found.setdefault((engine, app), []).append(lag_ms)
    return found
