"""What of a project's schedules needs somebody, and what fires next.

The rule: all schedules are counted, and each count opens the list that it counts.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from ..web.ask import Ask
from ..web.numbers import num
from ..web.route import PROJECT, Table
from . import query, shapes, timing
from .model import schedules
from .written import Json, days_off

ENDPOINTS = Table()
NEXT = 5
LOOKED_AT = 200
"""Of so many that are watched for soonest, the ones that fire next are found."""
COUNTED = ("silent", "failing", "paused", "missed", "late")


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
    sqlite = conn.dialect.name == "sqlite"
    own = schedules.c.project_id == project_id
    sums = [
        func.count().filter(query.is_clause(name, sqlite=sqlite)).label(name) for name in COUNTED
    ]
    found = conn.execute(select(func.count().label("total"), *sums).where(own)).one()
    numbers = {name: num(getattr(found, name), f"is:{name}") for name in COUNTED}
    return {"total": num(found.total, ""), **numbers, "next": coming(conn, project_id, now_ms)}


def coming(conn: Connection, project_id: str, now_ms: int) -> list[Json]:
    """The schedules that fire next, soonest first; one that is silent does not."""
    sqlite = conn.dialect.name == "sqlite"
    due = schedules.c.watch_ms - query.grace_ms(sqlite=sqlite)
    likely: list[Any] = list(conn.execute(
        select(schedules).where(
            schedules.c.project_id == project_id, schedules.c.enabled.is_(True),
            schedules.c.paused.is_(False), schedules.c.silent.is_(None),
            schedules.c.watch_ms.is_not(None),
        ).order_by(due, schedules.c.id).limit(LOOKED_AT)
    ))  # fmt: skip
    days = days_off(conn, project_id)
    found = [(next_of(conn, row, days, now_ms), row) for row in likely]
    soon = sorted((at, row.name, row.id) for at, row in found if at is not None)
    return [{"id": id_, "name": name, "next_due_ms": at} for at, name, id_ in soon[:NEXT]]


def next_of(conn: Connection, row: Any, days: Any, now_ms: int) -> int | None:
    """When a row is due next; None for never."""
    return timing.next_of(row, days, now_ms, is_spent=shapes.is_spent(conn, row)).due_ms
