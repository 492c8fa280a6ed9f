"""What a worker hears before it consumes. The rule: it comes ahead of the first PONG.

These commands are no rows: each has an id of its own, and what the agent answers changes nothing.
"""

from __future__ import annotations

from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Actor, Command

from ..commands import standing
from .connection import Connection
from .core import Core

WORKER = "worker"
_DEADLINE_MS = 60_000


async def tell(core: Core, connection: Connection) -> None:
    """Say again what was cancelled and paused, to a process that runs tasks."""
    if connection.register.role != WORKER:
        return
    offered = [
        (app.engine, app.app, {verb.verb: verb.scope for verb in app.verbs})
        for app in connection.apps
    ]
    project_id, now_us = connection.who.project_id, core.clock.wall_us()
    since_welcome_ms = int((core.clock.monotonic() - connection.welcomed_at) * 1000)
    for order in await core.db.read(standing.orders, core.roots, project_id, offered, now_us):
        body = Command(
            core.entropy(16), order.verb, order.engine, order.app, tuple(order.targets),
            dict(order.params), since_welcome_ms + _DEADLINE_MS,
            Actor(*[*order.actor, "", "", ""][:3]), order.reason[:512],
        )  # fmt: skip
        await connection.send(RecordType.COMMAND, body)
