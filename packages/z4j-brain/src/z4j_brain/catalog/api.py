"""The catalog over HTTP."""

from __future__ import annotations

from typing import Any

from ..search.window import window
from ..web.ask import Ask
from ..web.route import PROJECT, Table
from . import service

ENDPOINTS = Table()


@ENDPOINTS.get(f"{PROJECT}/definitions", "task.read", query=("range",))
async def listed(ask: Ask) -> dict[str, Any]:
    """Definitions, registered or seen, with counts and percentiles of the range."""
    span = window(ask.text("range"), ask.brain.now_us())
    found = await ask.brain.db.read(service.definitions, ask.project.id, *span)
    return {"items": found}


@ENDPOINTS.get(f"{PROJECT}/definitions/{{engine}}/{{name}}", "task.read", query=("range",))
async def shown(ask: Ask) -> dict[str, Any]:
    """One definition."""
    span = window(ask.text("range"), ask.brain.now_us())
    place = (ask.path("engine"), ask.path("name"))
    return await ask.brain.db.read(service.definition, ask.project.id, place, *span)
