"""The gateway as one part of the app. The rule: started and stopped with it, drained before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import BaseRoute, WebSocketRoute
from z4j_core.clock import Clock
from z4j_core.wire import MAX_MESSAGE_BYTES, PATH, CloseCode

from .. import __version__
from ..agents import service
from ..db import Database, is_trouble
from ..db.rootkeys import Entropy, RootKeys
from ..ingest.commit import CommitInfo, OnCommit, nobody
from ..ingest.loop import Ingest
from ..settings import Settings
from .central import Central
from .core import Core
from .deploys import Deploys
from .dispatch import Dispatch
from .endpoint import Endpoint
from .frames import Frames
from .leasing import Leasing
from .listen import Listener
from .presence import Presence
from .replication import Replication
from .requests import Requests
from .snapshots import Snapshots

UVICORN: dict[str, Any] = {
    "ws": "websockets-sansio",
    "ws_max_size": MAX_MESSAGE_BYTES,
    "ws_per_message_deflate": False,
    "ws_ping_interval": None,
    "ws_ping_timeout": None,
    "timeout_keep_alive": 30,
}
"""Options uvicorn must be started with."""

_FLUSH_S = 1.0
_REAP_S = 2.0
_DRAIN_MS = 1_000
_STALE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent that is connected to this process."""

    project_id: str
    stream: str
    session: str
    engines: tuple[tuple[str, str], ...]


class Gateway:
    """Everything between agents and database in one process."""

    def __init__(self, core: Core, prefix: str, on_commit: OnCommit) -> None:
        self._core = core
        self._prefix = prefix
        self._listener = on_commit
        self.dispatch = Dispatch(core, self.publish)
        self._presence = Presence(core, self.publish)
        self._deploys = Deploys(core, self.scheduled)
        snapshots = Snapshots(core, self.publish, self._deploys)
        self.replication = Replication(core, self.publish, self._presence.spawn)
        leasing = Leasing(core, Central(core, self.wake, lambda one: self.scheduled([one])))
        frames = Frames(core, self._presence, snapshots, self.replication, leasing, self._deploys)
        self._endpoint = Endpoint(core, frames, self._presence, self.dispatch, self.replication)
        self._requests = Requests(core, self._endpoint)
        self._channel = Listener(core.db, self.wake)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ingest(self) -> Ingest:
        """The loop that stores facts."""
        return self._core.ingest

    def routes(self) -> list[BaseRoute]:
        """What the app mounts."""
        socket = WebSocketRoute(f"{self._prefix}{PATH}", self._endpoint.serve)
        return [socket, *self._requests.routes(self._prefix)]

    def publish(self, info: CommitInfo) -> None:
        """Tell who listens what a commit changed."""
        settled = [cmd_id for change in info.projects for cmd_id in change.commands]
        if settled:
            self.dispatch.settled(settled)
        if any(change.agents for change in info.projects):
            self._deploys.wake()
        self._listener(info)

    def wake(self) -> None:
        """Say, in the event loop, that a command is ready or a schedule was changed."""
        self.dispatch.wake()
        self.replication.wake()

    def scheduled(self, projects: Iterable[str]) -> None:
        """Say that schedules of some projects were changed by the brain itself."""
        self.replication.say(projects)
        self.replication.wake()

    async def abort(self, project_id: str, cmd_id: str, reason: str) -> None:
        """Stop a command as far as it can still be stopped."""
        await self.dispatch.abort(project_id, cmd_id, reason)

    def connected(self, project_id: str) -> list[AgentView]:
        """Agents of a project on this process."""
        return [
            AgentView(
                project_id,
                one.stream,
                one.who.session,
                tuple((app.engine, app.app) for app in one.apps),
            )
            for one in self._core.registry.of_project(project_id)
        ]

    async def start(self) -> None:
        """Begin to store and to send; call it in the event loop that serves."""
        before_us = self._core.clock.wall_us() - (0 if self._core.db.is_sqlite else _STALE_US)
        await self._core.db.write(service.forget_sessions, before_us)
        self._core.ingest.start()
        self._channel.start(asyncio.get_running_loop())
        self._tasks = [
            asyncio.create_task(self.dispatch.run(), name="z4j dispatch"),
            asyncio.create_task(self.replication.run(), name="z4j schedules"),
            asyncio.create_task(self._deploys.run(), name="z4j deploys"),
            asyncio.create_task(self._every(_FLUSH_S, self._presence.flush), name="z4j beats"),
            asyncio.create_task(self._every(_REAP_S, self._presence.reap), name="z4j reaper"),
        ]

    async def stop(self) -> None:
        """Store what has arrived, send agents elsewhere, stop."""
        await self.drain()
        await self._requests.stop()
        await self._core.ingest.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._channel.stop)

    async def drain(self) -> None:
        """Tell agents to go elsewhere; before the server ends their connections."""
        self._requests.is_draining = True
        await asyncio.gather(
            *(
                connection.close(CloseCode.DRAINING, "the brain is going down", _DRAIN_MS)
                for connection in self._core.registry
            )
        )

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except SQLAlchemyError as error:
                if not is_trouble(error):
                    self._core.log.exception("what is done every %g s failed", seconds)


def open_gateway(
    db: Database,
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    on_commit: OnCommit = nobody,
) -> Gateway:
    """Put a gateway together; it does nothing before `start`."""
    roots = RootKeys(settings.secret, settings.previous_secrets)
    urls = tuple(url for url in (settings.public_url, *settings.agent_urls) if url)
    gateway: Gateway

    def published(info: CommitInfo) -> None:
        gateway.publish(info)

    core = Core(
        db=db,
        roots=roots,
        clock=clock,
        entropy=entropy,
        ingest=Ingest(db, clock.wall_us, published),
        brain_id=roots.derive("brain id")[:16],
        version=__version__,
        heartbeat_ms=settings.heartbeat_ms,
        deflate_min_bytes=settings.deflate_min_bytes,
        agent_urls=urls,
    )
    gateway = Gateway(core, settings.prefix, on_commit)
    return gateway
