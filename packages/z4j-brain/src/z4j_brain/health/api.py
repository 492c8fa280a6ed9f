"""The Now page over HTTP."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ..search.window import window
from ..web.ask import Ask
from ..web.route import PROJECT, Table
from . import service

ENDPOINTS = Table()


@ENDPOINTS.get(f"{PROJECT}/now", "task.read", query=("range",))
async def now(ask: Ask) -> dict[str, Any]:
    """Queues under pressure, throughput, what fails, what needs somebody."""
    now_us = ask.brain.now_us()
    span = window(ask.text("range"), now_us)

    def work(conn: Connection) -> dict[str, Any]:
        return service.now(conn, ask.project.id, span, now_us, args_visible=ask.args_visible)

    return await ask.brain.db.read(work)
