"""Composing the brain. The rule: only here do parts meet; a route without action stops it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, Row
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp
from z4j_core.clock import Clock, SystemClock
from z4j_core.errors import ConfigError

from .agents import api as agents
from .agents import keys
from .auth import api as auth
from .auth import service as auth_service
from .auth import step_up, tokens
from .auth.watch import end_revoked
from .catalog import api as catalog
from .commands import api as commands
from .commands import moves
from .commands.actions import ACTIONS
from .commands.release import Release
from .db import DRIVER_ERRORS, Database, is_trouble, open_database
from .db.rootkeys import RootKeys
from .gateway import open_gateway
from .health import api as health
from .ingest.commit import CommitInfo
from .live import api as live
from .live.hub import Hub
from .migrations import upgrade
from .queues import api as queues
from .rotation import service as rotation
from .rotation.loop import running
from .schedules import acts, closed, dates, drifts, history, leaders, orders, sets, standing, weeks
from .schedules import api as schedules
from .schedules import moves as schedule_moves
from .schedules.retention import Retention
from .schedules.silence import Silence
from .search import teach
from .settings import Settings
from .sources import LiveSources
from .tasks import api as tasks
from .web import site
from .web.context import Brain
from .web.dispatch import error_handlers, http_routes
from .web.openapi import document
from .web.passwords import Passwords
from .web.route import Endpoint
from .web.shield import Shield
from .workers import api as workers

_LOG = logging.getLogger("z4j.brain")
AGAIN_S = 1.0
ENDPOINTS: list[Endpoint] = [
    *auth.ROUTES, *step_up.ROUTES, *tokens.ROUTES, *tasks.ENDPOINTS, *commands.ENDPOINTS,
    *moves.ENDPOINTS, *health.ENDPOINTS, *catalog.ENDPOINTS, *queues.ENDPOINTS, *workers.ENDPOINTS,
    *leaders.ENDPOINTS, *sets.ENDPOINTS, *weeks.ENDPOINTS, *standing.ENDPOINTS,
    *drifts.ENDPOINTS, *closed.ENDPOINTS, *acts.ENDPOINTS, *dates.ENDPOINTS, *history.ENDPOINTS,
    *schedules.ENDPOINTS, *schedule_moves.ENDPOINTS,
    *agents.ENDPOINTS, *keys.ENDPOINTS, *live.ENDPOINTS, *site.ROUTES,
]  # fmt: skip


def open_brain(
    settings: Settings,
    clock: Clock | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
) -> Brain:
    """Database at head, keys and password threads: what the CLI and the server both need.

    Raises:
        ConfigError: Z4J-E601 the schema is of another version, Z4J-E602 the database does not work,
            Z4J-E603 rows need a root secret that is not configured.
    """
    clock = clock or SystemClock()
    db = _database_at_head(settings.database_url)
    roots = RootKeys(settings.secret, settings.previous_secrets)
    try:
        with db.writing() as conn:
            rotation.check_roots(conn, roots)
            rotation.choose(conn, roots, clock.wall_us())
            pepper = auth_service.pepper(conn, roots, entropy, clock.wall_us())
    except ConfigError:
        db.close()
        raise
    brain = Brain(db, settings, clock, entropy, roots)
    brain.passwords = Passwords(pepper, entropy)
    return brain


def _database_at_head(url: str) -> Database:
    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except ArgumentError as error:
        raise ConfigError("Z4J-E602", "this is no URL of a database") from error
    try:
        db = open_database(url)
        teach(db.engine)
        upgrade(db.engine)
    except CommandError as error:
        raise ConfigError("Z4J-E601", f"{shown} was made by a newer brain: {error}") from error
    except DRIVER_ERRORS as error:
        why = str(getattr(error, "orig", error)).strip().partition("\n")[0]
        raise ConfigError("Z4J-E602", f"{shown}: {why}") from error
    return db


def close_brain(brain: Brain) -> None:
    """Release threads and connections."""
    brain.passwords.close()
    brain.db.close()


def _still_permitted(conn: Connection, bulk: Row[Any]) -> bool:
    """Whether the author of a bulk may still do what it does."""
    right = ACTIONS[bulk.action].right
    return auth_service.still_may(conn, bulk.by_id or "", right, bulk.project_id)


def _release(brain: Brain, sent: Callable[[str, str], None]) -> Release:
    """What sends the commands of bulks."""
    made = Release(brain.db, brain.roots, brain.now_us, brain.new_id, sent, _still_permitted)
    made.ordered = orders.ordered
    return made


def create_app(brain: Brain, extra: list[Endpoint] | None = None) -> ASGIApp:
    """The ASGI application of this brain.

    Raises:
        RuntimeError: a route declares no known action.
    """
    endpoints = [*ENDPOINTS, *(extra or [])]
    brain.openapi = document(endpoints, brain.version)
    sources = LiveSources(brain.now_us, brain.settings.heartbeat_ms, sqlite=brain.db.is_sqlite)
    hub = Hub(brain.db, sources, brain.clock.monotonic, brain.entropy(4).hex())

    def committed(info: CommitInfo) -> None:
        hub.committed(info.position, info.projects)

    gateway = open_gateway(brain.db, brain.settings, brain.clock, brain.entropy, committed)

    def sent(project_id: str, bulk_id: str) -> None:
        gateway.wake()
        hub.bulk_changed(project_id, bulk_id)

    release = _release(brain, sent)
    keepers = (
        Silence(brain.db, brain.now_us, gateway.scheduled).run,
        Retention(brain.db, brain.now_us, brain.settings.retention_days).run,
    )
    brain.streams = hub
    brain.wake, brain.nudge, brain.drain = gateway.wake, release.nudge, gateway.drain
    brain.connected, brain.abort = gateway.connected, gateway.abort

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with running(brain) as wrap:
            await gateway.start()
            watch = partial(end_revoked, brain, hub.sessions, hub.revoked)
            works = (hub.run, release.run, *keepers, watch, wrap)
            loops = [asyncio.create_task(_kept(brain, work)) for work in works]
            yield {}
            hub.close()
            await gateway.stop()
            for loop in loops:
                loop.cancel()
            await asyncio.wait(loops)

    routes: list[BaseRoute] = [
        *gateway.routes(), *http_routes(brain, auth.gate(brain), endpoints)
    ]  # fmt: skip
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=error_handlers(brain))
    app.router.redirect_slashes = False
    return Shield(app, brain.settings)


async def _kept(brain: Brain, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a loop of the server; what nobody expected is counted, logged, and it goes on."""
    while True:
        try:
            await work()
        except Exception as error:
            if not is_trouble(error):  # the database tells its own trouble, once
                brain.swallowed += 1
                _LOG.exception("a loop of the server failed and starts again")
            await asyncio.sleep(AGAIN_S)
