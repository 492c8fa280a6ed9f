"""Schedules nobody hears of. The rule: a slot that is not told of in time is said to be missing.

Each schedule says when that is (`watch_ms`); a turn looks at those whose time has come, no others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.exc import SQLAlchemyError

from ..agents.offers import offers
from ..db import Database, is_trouble
from . import autopause, timing
from .model import schedules
from .timing import SETTLE_MS
from .written import days_off

_log = logging.getLogger("z4j.schedules")
EVERY_S = 5.0
AGAIN_MS = 60_000
MOST = 500
OFFLINE = "unknown: group offline"
Said = Callable[[set[str]], None]


class Silence:
    """Looks for schedules that are silent, and ends pauses whose time is over."""

    def __init__(self, db: Database, wall_us: Callable[[], int], said: Said) -> None:
        self._db = db
        self._wall_us = wall_us
        self._said = said

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.turn()
            except SQLAlchemyError as error:
                if not is_trouble(error):
                    _log.exception("schedules cannot be looked at")

    async def turn(self) -> None:
        """One look; tells of the projects where something changed."""
        now_us = self._wall_us()
        if not await self._db.read(_any_due, now_us // 1000):
            return
        projects = await self._db.write(look, now_us)
        if projects:
            self._said(projects)


def _any_due(conn: Connection, now_ms: int) -> bool:
    due = select(schedules.c.id).where(schedules.c.watch_ms <= now_ms)
    return conn.execute(due.limit(1)).first() is not None


def look(conn: Connection, now_us: int) -> set[str]:
    """Judge the schedules whose time has come, at most `MOST`; returns their projects."""
    now_ms = now_us // 1000
    query = select(schedules).where(schedules.c.watch_ms <= now_ms)
    rows = conn.execute(query.order_by(schedules.c.watch_ms, schedules.c.id).limit(MOST)).all()
    projects: set[str] = set()
    live: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        if row.paused and row.paused_until_ms is not None and row.paused_until_ms <= now_ms:
            autopause.resume(conn, row.project_id, row.id, now_us)
            projects.add(row.project_id)
            continue
        if row.project_id not in live:
            live[row.project_id] = set(offers(conn, row.project_id))
        if _judge(conn, row, live[row.project_id], now_ms):
            projects.add(row.project_id)
    return projects


def _judge(conn: Connection, row: Row[Any], live: set[tuple[str, str]], now_ms: int) -> bool:
    days = days_off(conn, row.project_id)
    watch = timing.watch_ms(row, days)
    silent = None
    if watch is not None and watch <= now_ms:
        silent = f"a slot was due {_ago(now_ms - watch + SETTLE_MS)} ago and nobody told of it"
        if (row.engine, row.app) not in live:
            silent = OFFLINE
        watch = now_ms + AGAIN_MS
    conn.execute(
        update(schedules).where(schedules.c.id == row.id).values(watch_ms=watch, silent=silent)
    )
    return bool(silent != row.silent)


def _ago(ms: int) -> str:
    minutes = ms // 60_000
    if minutes < 120:  # noqa: PLR2004 - two hours
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2_880 else f"{minutes // 1_440} d"  # noqa: PLR2004 - two days
