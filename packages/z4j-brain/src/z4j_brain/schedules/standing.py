"""What of a project's schedules needs somebody, and what fires next.

The rule: all schedules are counted, and each count opens the list that it counts.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, select, true

from ..web.ask import Ask
from ..web.numbers import num
from ..web.route import PROJECT, Table
from . import shapes, store, timing
from .model import COMING, DUE_MS, TROUBLES, schedules
from .written import Json, days_off

ENDPOINTS = Table()
NEXT = 5
LOOKED_AT = 200
"""Of so many that are watched for soonest, the ones that fire next are found."""


class Number(msgspec.Struct):
    """A count, and the query whose list counts the same."""

    value: int
    approx: bool
    q: str | None


class Coming(msgspec.Struct):
    """A schedule that fires soon, and when."""

    id: str
    name: str
    next_due_ms: int


class Standing(msgspec.Struct):
    """How many schedules there are, how many stand in which trouble, and the next to fire."""

    total: Number
    silent: Number
    failing: Number
    paused: Number
    missed: Number
    late: Number
    next: list[Coming]


@ENDPOINTS.get(f"{PROJECT}/schedules/standing", "schedule.read", gives=Standing)
async def standing(ask: Ask) -> Json:
    """Counts of all schedules, by what is wrong with them, and the five that fire next."""
    now_ms = ask.brain.now_us() // 1000
    return await ask.brain.db.read(counted, ask.project.id, now_ms)


def counted(conn: Connection, project_id: str, now_ms: int) -> Json:
    """The counts of a project's schedules, and the next of them."""
    numbers = {
        name: num(_count(conn, project_id, clause), f"is:{name}")
        for name, clause in TROUBLES.items()
    }
    total = num(_count(conn, project_id, true()), "")
    return {"total": total, **numbers, "next": coming(conn, project_id, now_ms)}


def _count(conn: Connection, project_id: str, clause: ColumnElement[bool]) -> int:
    return store.how_many(conn, and_(schedules.c.project_id == project_id, clause))


def coming(conn: Connection, project_id: str, now_ms: int) -> list[Json]:
    """The schedules that fire next, soonest first; one that is silent does not."""
    own = schedules.c.project_id == project_id
    soonest = select(schedules).where(own, COMING).order_by(DUE_MS, schedules.c.id)
    likely: list[Any] = list(conn.execute(soonest.limit(LOOKED_AT)))
    days = days_off(conn, project_id)
    found = [(next_of(conn, row, days, now_ms), row) for row in likely]
    soon = sorted((at, row.name, row.id) for at, row in found if at is not None)
    return [{"id": id_, "name": name, "next_due_ms": at} for at, name, id_ in soon[:NEXT]]


def next_of(conn: Connection, row: Any, days: Any, now_ms: int) -> int | None:
    """When a row is due next; None for never."""
    return timing.next_of(row, days, now_ms, is_spent=shapes.is_spent(conn, row)).due_ms
