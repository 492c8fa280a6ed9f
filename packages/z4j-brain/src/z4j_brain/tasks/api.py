"""Endpoints of tasks. The rule: what the viewer may not see is decided here once, from the role."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ..web.ask import Ask
from ..web.route import PROJECT, Table
from . import complete as completing
from . import detail as details
from . import flow as flows
from . import service
from .documents import Complete, Detail, Facets, Flow, Histogram, Num, Page, Schema

ENDPOINTS = Table()
DEFAULT_LIMIT, MOST = 100, 200
RANGED = ("q", "range")
PAGED = ("sort", "cursor", "limit")


def question(ask: Ask) -> service.Ask:
    """What a request asks about the tasks of its project."""
    return service.Ask(
        ask.project.id, ask.text("q"), ask.text("range"), ask.brain.now_us(), ask.args_visible
    )


@ENDPOINTS.get(f"{PROJECT}/tasks", "task.read", gives=Page, query=(*RANGED, *PAGED))
async def listed(ask: Ask) -> dict[str, Any]:
    """One page of tasks that match, newest first unless sorted otherwise."""
    limit = max(ask.number("limit", DEFAULT_LIMIT, MOST), 1)
    key = ask.brain.roots.derive("cursor")
    watermark = ask.brain.streams.watermark if ask.brain.streams is not None else ""
    found = await ask.brain.db.read(
        service.listed, question(ask), ask.text("sort"), ask.text("cursor"), limit, key
    )
    return found | {"watermark": watermark}


@ENDPOINTS.get(f"{PROJECT}/tasks/{{ref}}", "task.read", gives=Detail)
async def shown(ask: Ask) -> dict[str, Any]:
    """One task with its attempts, error, links and what can be done to it."""
    return await ask.brain.db.read(
        details.detail, ask.project.id, ask.path("ref"), ask.brain.now_us(),
        args_visible=ask.args_visible,
    )  # fmt: skip


@ENDPOINTS.get(f"{PROJECT}/tasks/{{ref}}/flow", "task.read", gives=Flow)
async def flow(ask: Ask) -> dict[str, Any]:
    """The workflow a task belongs to."""
    return await ask.brain.db.read(flows.flow, ask.project.id, ask.path("ref"))


@ENDPOINTS.get(f"{PROJECT}/facets", "task.read", gives=Facets, query=RANGED)
async def facets(ask: Ask) -> dict[str, Any]:
    """Values with counts of the columns people filter by."""
    return await ask.brain.db.read(service.facets, question(ask))


@ENDPOINTS.get(f"{PROJECT}/histogram", "task.read", gives=Histogram, query=RANGED)
async def histogram(ask: Ask) -> dict[str, Any]:
    """Matching tasks by time and state."""
    return await ask.brain.db.read(service.histogram, question(ask))


@ENDPOINTS.get(f"{PROJECT}/count", "task.read", gives=Num, query=RANGED)
async def count(ask: Ask) -> dict[str, Any]:
    """How many tasks match."""
    asked = question(ask)

    def work(conn: Connection) -> dict[str, Any]:
        return service.total(conn, service.clause(conn, asked), asked.q)

    return await ask.brain.db.read(work)


@ENDPOINTS.get(f"{PROJECT}/query/schema", "task.read", gives=Schema)
async def schema(_ask: Ask) -> dict[str, Any]:
    """The keys of the query language."""
    return completing.schema()


@ENDPOINTS.get(f"{PROJECT}/query/complete", "task.read", gives=Complete, query=(*RANGED, "pos"))
async def complete(ask: Ask) -> dict[str, Any]:
    """What could stand at a position of the query."""
    asked = question(ask)
    pos = ask.number("pos", len(asked.q), len(asked.q))
    return await ask.brain.db.read(completing.complete, asked, pos)
