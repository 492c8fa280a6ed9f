"""What became of the tasks of fires. The rule: a fire's task is the one with the fire's id.

Whichever is told first, the fire or its task: the state reaches the fire, the schedule the task.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from z4j_core.scheduler.fires import is_fire

from ..tasks.model import ref_of, tasks
from . import newest
from .model import fires, schedules

BY_SCHEDULE = 3
_ENDS = frozenset({4, 6, 7, 8, 9})
_FAILED = frozenset({4, 6, 8})
_CHUNK = 500
COUNTED = 1_000


def fires_among(task_ids: Iterable[str]) -> set[str]:
    """Those that can be the ids of fires."""
    return {each for each in task_ids if is_fire(each)}


def settle(conn: Connection, project_id: str, fire_ids: Iterable[str]) -> tuple[set[str], set[str]]:
    """Join fires with their tasks; returns schedules and task refs that changed by it."""
    touched: set[str] = set()
    linked: set[str] = set()
    wanted = sorted(set(fire_ids))
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        query = select(fires).where(fires.c.project_id == project_id, fires.c.fire_id.in_(part))
        by_ref = {_ref(row): row for row in conn.execute(query)}
        columns = (tasks.c.ref, tasks.c.state, tasks.c.finished, tasks.c.at, tasks.c.schedule)
        for task in conn.execute(select(*columns).where(tasks.c.ref.in_(sorted(by_ref)))).all():
            fire = by_ref[task.ref]
            if _follow(conn, fire, task):
                touched.add(fire.schedule_id)
            if task.schedule is None:
                _link(conn, fire, task.ref)
                linked.add(task.ref)
    for schedule_id in sorted(touched):
        _count(conn, schedule_id)
    newest.keep(conn, touched)
    return touched, linked


def _ref(fire: Row[Any]) -> str:
    return ref_of(fire.project_id, fire.engine, fire.app, fire.fire_id)


def _follow(conn: Connection, fire: Row[Any], task: Any) -> bool:
    if fire.state == task.state:
        return False
    ended = (task.finished or task.at) if task.state in _ENDS else None
    where = (fires.c.project_id == fire.project_id, fires.c.fire_id == fire.fire_id)
    conn.execute(update(fires).where(*where).values(state=task.state, ended=ended))
    return True


def _link(conn: Connection, fire: Row[Any], ref: str) -> None:
    """Let a task be found by the schedule that fired it, where its engine could not say so."""
    conn.execute(
        update(tasks)
        .where(tasks.c.ref == ref)
        .values(
            schedule=fire.schedule_id, via=BY_SCHEDULE, v=tasks.c.v + 1,
            fire_id=func.coalesce(tasks.c.fire_id, fire.fire_id.replace("-", "")),
            slot_ms=func.coalesce(tasks.c.slot_ms, fire.slot_ms),
        )
    )  # fmt: skip


def _count(conn: Connection, schedule_id: str) -> None:
    """How many runs failed in a row since it was resumed, and when the last one ended."""
    row = conn.execute(select(schedules).where(schedules.c.id == schedule_id)).first()
    if row is None:
        return
    ends = conn.execute(
        select(fires.c.state, fires.c.ended)
        .where(fires.c.schedule_id == schedule_id, fires.c.ended >= row.not_before_ms * 1000)
        .order_by(fires.c.ended.desc())
        .limit(COUNTED)
    ).all()
    failures = next((n for n, end in enumerate(ends) if end.state not in _FAILED), len(ends))
    values: dict[str, Any] = {"consecutive_failures": failures}
    if ends:
        values["last_ended_ms"] = max(row.last_ended_ms or 0, ends[0].ended // 1000)
    conn.execute(update(schedules).where(schedules.c.id == schedule_id).values(**values))
