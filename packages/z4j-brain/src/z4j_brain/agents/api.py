"""Agents and the onboarding over HTTP."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ..web.ask import Ask
from ..web.route import PROJECT, Table
from . import keys, pages
from .offers import offers

ENDPOINTS = Table()


@ENDPOINTS.get(f"{PROJECT}/agents", "agent.read")
async def listed(ask: Ask) -> dict[str, Any]:
    """Agents of the last day."""
    found = await ask.brain.db.read(pages.listed, ask.project.id, ask.brain.now_us())
    return {"items": found}


@ENDPOINTS.get(f"{PROJECT}/capabilities", "agent.read")
async def capabilities(ask: Ask) -> dict[str, Any]:
    """What the connected agents can be asked, engine by engine."""
    offered = await ask.brain.db.read(offers, ask.project.id)
    return {"items": pages.capabilities(offered)}


@ENDPOINTS.get(f"{PROJECT}/onboarding", "agent.read")
async def onboarding(ask: Ask) -> dict[str, Any]:
    """How far this project is from its first task on screen."""

    def work(conn: Connection) -> dict[str, Any]:
        return {
            "steps": pages.steps(conn, ask.project.id),
            "refused": pages.refused(conn, ask.project.id, with_unknown=ask.principal.is_owner),
            "agents": pages.connected(conn, ask.project.id),
        }

    hint = keys.dsn(ask, "<key id>", "<secret>")
    return {"dsn_hint": hint, **await ask.brain.db.read(work)}
