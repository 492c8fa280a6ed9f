"""What is done to a running action. The rule: each move is authorised again and written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Row

from ..audit.service import Entry, record
from ..errors import Conflict, Forbidden
from ..web.ask import Ask
from ..web.rights import authorize, needs_step_up
from ..web.route import PROJECT, Table
from . import control, service
from .api import changed, who_of

T = TypeVar("T")
ENDPOINTS = Table()


async def _act(ask: Ask, how: str, work: Callable[[Connection, str], T]) -> T:
    """Authorise by the bulk's own right, do it, and add the audit row, in one transaction."""
    project, who, brain = ask.project, ask.principal, ask.brain
    bulk_id, entry_id, now_us = ask.path("id"), brain.new_id(), brain.now_us()

    def act(conn: Connection) -> T:
        bulk = service.bulk_of(conn, project.id, bulk_id)
        if bulk.state == "preview":
            raise Conflict("bulk.state", "it was not confirmed yet")
        right = service.action_of(bulk.action).right
        authorize(who, right, project)
        if how == "retry_failed" and needs_step_up(who, right, now_us):
            raise Forbidden("auth.step_up", "prove again that it is you: type your password")
        found = work(conn, bulk_id)
        entry = Entry(f"bulk.{how}", who.name, who.via, project.id, f"bulk {bulk_id}")
        record(conn, entry_id, now_us, entry)
        return found

    return await brain.db.write(act)


@ENDPOINTS.post(f"{PROJECT}/bulk/{{id}}/undo", "task.read")
async def undo(ask: Ask) -> dict[str, Any]:
    """Take an action back before anything of it is sent."""

    def work(conn: Connection, bulk_id: str) -> Row[Any]:
        return control.undo(conn, ask.project.id, bulk_id, ask.brain.now_us())

    return changed(ask, await _act(ask, "undo", work))


@ENDPOINTS.post(f"{PROJECT}/bulk/{{id}}/now", "task.read")
async def now(ask: Ask) -> dict[str, Any]:
    """End the hold."""
    return await _move(ask, "now")


@ENDPOINTS.post(f"{PROJECT}/bulk/{{id}}/pause", "task.read")
async def pause(ask: Ask) -> dict[str, Any]:
    """Send no more for the moment."""
    return await _move(ask, "pause")


@ENDPOINTS.post(f"{PROJECT}/bulk/{{id}}/resume", "task.read")
async def resume(ask: Ask) -> dict[str, Any]:
    """Go on sending."""
    return await _move(ask, "resume")


async def _move(ask: Ask, how: str) -> dict[str, Any]:
    def work(conn: Connection, bulk_id: str) -> Row[Any]:
        return control.move(conn, ask.project.id, bulk_id, how)

    return changed(ask, await _act(ask, how, work))


@ENDPOINTS.post(f"{PROJECT}/bulk/{{id}}/abort", "task.read")
async def abort(ask: Ask) -> dict[str, Any]:
    """Send nothing more, and tell agents to stop before their next target."""

    def work(conn: Connection, bulk_id: str) -> list[str]:
        return control.abort(conn, ask.project.id, bulk_id, ask.brain.now_us())

    running = await _act(ask, "abort", work)
    stop = ask.brain.abort
    for cmd_id in running:
        if stop is not None:
            await stop(ask.project.id, cmd_id, "aborted by an operator")
    found = await ask.brain.db.read(service.bulk_of, ask.project.id, ask.path("id"))
    return changed(ask, found)


@ENDPOINTS.post(f"{PROJECT}/bulk/{{id}}/retry-failed", "task.read", status=202)
async def retry_failed(ask: Ask) -> dict[str, Any]:
    """Do it again for the items that failed."""
    new_id = ask.brain.new_id()

    def work(conn: Connection, bulk_id: str) -> Row[Any]:
        now_us = ask.brain.now_us()
        return control.retry_failed(conn, ask.project.id, bulk_id, who_of(ask), new_id, now_us)

    return changed(ask, await _act(ask, "retry_failed", work))
