"""Old fires go. The rule: none of the last days, and none of the newest thousand of a schedule.

Of a schedule that is limited to a number of fires, those of its generation stay: they are counted.
Fires of a schedule that was deleted go when they are old. Each turn is short and ends by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from ..db import Database, is_trouble
from . import timing
from .model import fires, schedules

_log = logging.getLogger("z4j.schedules")
EVERY_S = 3_600.0
BETWEEN_S = 0.05
KEPT = 1_000
SCHEDULES = 100
ROWS = 1_000
"""What one transaction looks at, and takes away, at most."""
DAY_MS = 86_400_000


class Turn(NamedTuple):
    """Behind which schedule the next turn goes on, None when all were seen; how many fires went."""

    after: str | None
    gone: int


class Retention:
    """Takes fires away that are older than `days`, hour by hour."""

    def __init__(self, db: Database, wall_us: Callable[[], int], days: int) -> None:
        self._db = db
        self._wall_us = wall_us
        self._days = days

    async def run(self) -> None:
        """Go through all schedules, once an hour, until cancelled."""
        while True:
            try:
                await self.once()
            except SQLAlchemyError as error:
                if not is_trouble(error):
                    _log.exception("old fires cannot be taken away")
            await asyncio.sleep(EVERY_S)

    async def once(self) -> int:
        """Go through all schedules; returns how many fires went."""
        before_ms = self._wall_us() // 1000 - self._days * DAY_MS
        turn, gone = Turn("", 0), 0
        while turn.after is not None:
            turn = await self._db.write(sweep, turn.after, before_ms)
            gone += turn.gone
            await asyncio.sleep(BETWEEN_S)
        return gone


def sweep(conn: Connection, after: str, before_ms: int) -> Turn:
    """Take old fires of the next schedules away, at most `ROWS`; `after` is the last one seen."""
    last, gone = after, 0
    found = _ids(conn, after)
    for schedule_id in found:
        where = _old(conn, schedule_id, before_ms)
        if where is not None:
            gone += _take(conn, where, ROWS - gone)
        if gone >= ROWS:
            return Turn(last, gone)
        last = schedule_id
    return Turn(last if found else None, gone)


def _ids(conn: Connection, after: str) -> Sequence[str]:
    """The next schedules that have fires, each found by one step in the index."""
    found: list[str] = []
    while len(found) < SCHEDULES:
        step = select(func.min(fires.c.schedule_id)).where(fires.c.schedule_id > after)
        following = conn.execute(step).scalar()
        if following is None:
            break
        found.append(following)
        after = following
    return found


def _old(conn: Connection, schedule_id: str, before_ms: int) -> ColumnElement[bool] | None:
    """Which fires of a schedule may go; None when there are none."""
    own = fires.c.schedule_id == schedule_id
    oldest = conn.execute(select(func.min(fires.c.slot_ms)).where(own)).scalar()
    if oldest is None or oldest >= before_ms:
        return None
    old = and_(own, fires.c.slot_ms < before_ms)
    row = conn.execute(select(schedules).where(schedules.c.id == schedule_id)).first()
    if row is None:
        return old
    newest = select(fires.c.slot_ms, fires.c.fire_id).where(own)
    order = (fires.c.slot_ms.desc(), fires.c.fire_id.desc())
    kept = conn.execute(newest.order_by(*order).offset(KEPT - 1).limit(1)).first()
    if kept is None:
        return None
    older = and_(fires.c.slot_ms == kept.slot_ms, fires.c.fire_id < kept.fire_id)
    old = and_(old, or_(fires.c.slot_ms < kept.slot_ms, older))
    if timing.max_fires(row) is not None:
        old = and_(old, fires.c.generation != row.generation)
    return old


def _take(conn: Connection, where: ColumnElement[bool], most: int) -> int:
    picked = select(fires.c.fire_id).where(where).order_by(fires.c.slot_ms).limit(most)
    gone = conn.execute(delete(fires).where(where, fires.c.fire_id.in_(picked))).rowcount
    return int(gone)
