"""Queues over HTTP."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ..agents.offers import can, offers
from ..commands.lookups import Look, evidence_of
from ..errors import Conflict, NotFound
from ..web.ask import Ask
from ..web.route import PROJECT, Table
from . import service

ENDPOINTS = Table()
MOST = 20


@ENDPOINTS.get(f"{PROJECT}/queues", "queue.read")
async def listed(ask: Ask) -> dict[str, Any]:
    """Queues, most pressed first."""
    now_us = ask.brain.now_us()
    return {"items": await ask.brain.db.read(service.listed, ask.project.id, now_us)}


@ENDPOINTS.get(f"{PROJECT}/queues/{{engine}}/{{name}}/peek", "queue.read", query=("limit",))
async def peek(ask: Ask) -> dict[str, Any]:
    """What waits at the head of a queue, asked of an agent now; changes nothing."""
    who, name = ask.principal, ask.path("name")
    place, scope = await ask.brain.db.read(_askable, ask, name)
    look = Look(
        project_id=ask.project.id, engine=place[0], app=place[1], verb="peek", target=name,
        scope=scope, actor=(who.user_id, who.name, who.via),
        params={"limit": ask.number("limit", MOST, MOST) or 1},
    )  # fmt: skip
    found = await evidence_of(ask.brain, look)
    return {"items": [service.held_json(each, ask.args_visible) for each in found.get("items", [])]}


def _askable(conn: Connection, ask: Ask, name: str) -> tuple[tuple[str, str], int]:
    """(engine, app) of the queue and the verb's scope.

    Raises:
        NotFound: no such queue.
        Conflict: nobody can peek into it; the code says why.
    """
    engine = ask.path("engine")
    known = service.listed(conn, ask.project.id, ask.brain.now_us())
    apps = [each["app"] for each in known if (each["engine"], each["name"]) == (engine, name)]
    if not apps:
        raise NotFound("not_found", "no such queue")
    place = (engine, apps[0])
    offer = offers(conn, ask.project.id).get(place)
    verdict = can(offer, "peek")
    if offer is None or not verdict.ok:
        raise Conflict(verdict.code or "agent.none", verdict.why or "")
    return place, offer.verbs["peek"]
