"""The stream of a tab. The rule: it ends by itself, soon after its session ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

from ..errors import Invalid, Problem
from ..web.ask import Ask
from ..web.route import PROJECT, Table
from .hub import Hub
from .watch import Look, Stream

ENDPOINTS = Table()
VIEWS = ("tasks", "now", "queues", "task", "bulk", "schedules")
BEAT_S = 15.0
STEP_S = 1.0
LIFE_S = 1800.0
SPREAD = 0.1
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@ENDPOINTS.get(
    f"{PROJECT}/live", "task.read", query=("view", "q", "range", "ref"), streams=True,
    in_schema=False,
)  # fmt: skip
async def live(ask: Ask) -> StreamingResponse:
    """Server-sent events: rows, numbers and pages as they change."""
    hub = _hub(ask)
    view = ask.text("view", "tasks")
    if view not in VIEWS:
        raise Invalid("request.invalid", f"view is one of {', '.join(VIEWS)}", field="view")
    look = Look(
        ask.project.id, view, ask.text("q"), ask.text("range"), ask.text("ref"), ask.args_visible
    )
    last_id = ask.request.headers.get("last-event-id", "")[:64]
    stream = hub.open(look, ask.principal.proof, last_id)
    spread = 1 + SPREAD * (ask.brain.entropy(1)[0] / 127.5 - 1)
    life_s = LIFE_S * spread
    return StreamingResponse(
        _events(hub, look, stream, life_s), media_type="text/event-stream", headers=HEADERS
    )


def _hub(ask: Ask) -> Hub:
    hub = ask.brain.streams
    if not isinstance(hub, Hub):
        raise Problem("server.starting", "not ready yet", status=503)
    return hub


async def _events(hub: Hub, look: Look, stream: Stream, life_s: float) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end = loop.time() + life_s
    try:
        while not stream.closed and loop.time() < end:
            yield await stream.take(BEAT_S) or b":\n\n"
    finally:
        hub.leave(look, stream)
