"""Workers over HTTP."""

from __future__ import annotations

from typing import Any

from ..web.ask import Ask
from ..web.route import PROJECT, Table
from . import service

ENDPOINTS = Table()


@ENDPOINTS.get(f"{PROJECT}/workers", "worker.read")
async def listed(ask: Ask) -> dict[str, Any]:
    """Workers of the last day."""
    beat_ms = ask.brain.settings.heartbeat_ms
    now_us = ask.brain.now_us()
    return {"items": await ask.brain.db.read(service.listed, ask.project.id, now_us, beat_ms)}


@ENDPOINTS.get(f"{PROJECT}/workers/{{id}}", "worker.read")
async def shown(ask: Ask) -> dict[str, Any]:
    """One worker."""
    beat_ms = ask.brain.settings.heartbeat_ms
    return await ask.brain.db.read(
        service.shown, ask.project.id, ask.path("id"), ask.brain.now_us(), beat_ms
    )
