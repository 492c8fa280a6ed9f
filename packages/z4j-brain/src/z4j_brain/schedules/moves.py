"""Schedules paused, resumed, restored over HTTP. The rule: each of these is one revision."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row
from starlette.responses import Response

from ..errors import NotFound, Problem
from ..web.ask import Ask
from ..web.route import Table
from . import conflicts, service, store
from .api import SCHEDULE, answered, by_of, conflict_for, shown, told
from .service import By
from .written import Json

ENDPOINTS = Table()


class PauseBody(msgspec.Struct, forbid_unknown_fields=True):
    """Until when (milliseconds; for good where it is missing) and why."""

    until: int | None = None
    note: str | None = None


class RestoreBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which revision to go back to."""

    revision: int


async def changed(ask: Ask, work: Callable[[Connection, By, Row[Any]], Row[Any]]) -> Response:
    """Change a schedule that nobody else changes meanwhile, and show it."""
    by = by_of(ask)

    def act(conn: Connection) -> Json:
        row = service.one(conn, ask.project.id, ask.path("id"), lock=True)
        return shown(conn, ask, work(conn, by, row))

    try:
        found = await ask.brain.db.write(act)
    except Problem as error:
        raise conflict_for(ask, error) from error
    told(ask, found["id"])
    return answered(found)


@ENDPOINTS.post(f"{SCHEDULE}/pause", "schedule.pause", takes=PauseBody)
async def pause(ask: Ask) -> Response:
    """Let nothing fire, for good or until a time."""
    body = await ask.body(PauseBody)
    note = (body.note or "")[:2_000]
    return await changed(ask, lambda conn, by, row: service.pause(conn, by, row, body.until, note))


@ENDPOINTS.post(f"{SCHEDULE}/resume", "schedule.resume")
async def resume(ask: Ask) -> Response:
    """Let it fire again from now on."""
    return await changed(ask, service.resume)


@ENDPOINTS.post(f"{SCHEDULE}/restore", "schedule.edit", takes=RestoreBody)
async def restore(ask: Ask) -> Response:
    """Make a schedule what it was at a revision; If-Match names the revision it has now."""
    body = await ask.body(RestoreBody)
    said = ask.request.headers.get("if-match", "")

    def work(conn: Connection, by: By, row: Row[Any]) -> Row[Any]:
        old = store.revision(conn, row.id, body.revision)
        if old is None:
            raise NotFound("not_found", "no such revision")
        state: Json = json.loads(old.state)
        conflicts.matched(conn, row, said, state)
        return service.edit(conn, by, row, state, action="schedule.restore")

    return await changed(ask, work)
