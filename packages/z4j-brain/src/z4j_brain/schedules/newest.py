"""What the newest fire of a schedule says of it. The rule: kept with the schedule, judged here.

Counts and lists of all schedules read what is kept; they look at no fire.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    case,
    false,
    func,
    or_,
    select,
    update,
)  # fmt: skip

from .model import fires, schedules

_SENT, _MISSED = 3, 5
_BAD = (4, 8)
"""States of a task, lost and failed, whose fire is not called late as well."""
_CHUNK = 500


def keep(conn: Connection, ids: Iterable[str]) -> None:
    """Judge schedules again after a fire of theirs, or their grace, has changed.

    They are locked until the commit: whoever changes fires of one later judges it later.
    """
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        mine = select(schedules.c.id).where(schedules.c.id.in_(part)).order_by(schedules.c.id)
        found = conn.execute(mine.with_for_update()).scalars().all()
        conn.execute(_judged().where(schedules.c.id.in_(found)))


def keep_all(conn: Connection) -> None:
    """Judge every schedule there is."""
    conn.execute(_judged())


def _judged() -> Any:
    """Write what is not as the newest fires say; a row that says it already is not touched."""
    said = {"missed": is_missed(), "late": is_late()}
    differs = [schedules.c[name].is_distinct_from(clause) for name, clause in said.items()]
    return update(schedules).where(or_(*differs)).values(**said)


def is_missed() -> ColumnElement[bool]:
    """Whether the newest fire of a schedule was missed."""
    return func.coalesce(_newest(fires.c.status) == _MISSED, false())


def is_late() -> ColumnElement[bool]:
    """Whether it was placed later than the schedule's grace, and its task has not failed."""
    on_time = case((fires.c.status == _SENT, fires.c.lag_ms), else_=0)
    lag = case((func.coalesce(fires.c.state, 0).in_(_BAD), 0), else_=on_time)
    return func.coalesce(_newest(lag) > schedules.c.grace_ms, false())


def _newest(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What the newest fire of a schedule has there, by the order in which they are listed."""
    own = fires.c.schedule_id == schedules.c.id
    newest = select(column).where(own).order_by(fires.c.slot_ms.desc(), fires.c.fire_id.desc())
    return newest.limit(1).correlate(schedules).scalar_subquery()
