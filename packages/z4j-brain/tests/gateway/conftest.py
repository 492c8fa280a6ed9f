"""A real brain on a free port, and a scripted agent that speaks the protocol over a socket."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import insert
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close
from websockets.sync.client import connect
from z4j_brain.agents import service
from z4j_brain.agents.service import NewKey
from z4j_brain.db import Database
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.gateway import UVICORN, Gateway, open_gateway
from z4j_brain.ingest import CommitInfo
from z4j_brain.projects.model import projects
from z4j_brain.settings import Settings
from z4j_core.agent import poll
from z4j_core.agent.link import Closed
from z4j_core.clock import SystemClock
from z4j_core.errors import Away
from z4j_core.wire import (
    AgentSession,
    Credential,
    RecordType,
    parse_dsn,
    parse_key_id,
    parse_secret,
)
from z4j_core.wire.bodies import App, Open, Policy, Register, Verb

SECRET = b"a root secret of exactly 32 byte"
PROJECT = "0" * 31 + "1"
CLOCK = SystemClock()


@dataclass
class Brain:
    """A brain that runs in a thread of its own."""

    db: Database
    roots: RootKeys
    gateway: Gateway
    port: int
    loop: Any = None
    commits: list[CommitInfo] = field(default_factory=list)
    heard: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/agent/ws"

    def dsn(self, key: NewKey) -> str:
        return f"http://{key.key_id}:{key.secret}@127.0.0.1:{self.port}/shop"

    def key(self, **more: Any) -> NewKey:
        with self.db.writing() as conn:
            return service.create_key(
                conn, self.roots, os.urandom, project_id=PROJECT, now_us=CLOCK.wall_us(), **more
            )

    def wake(self) -> None:
        self.loop.call_soon_threadsafe(self.gateway.wake)

    def wait_for(self, happened: Any, timeout_s: float = 5.0) -> None:
        with self.heard:
            assert self.heard.wait_for(lambda: any(map(happened, self.commits)), timeout_s)


def settings(tmp: Path, **more: Any) -> Settings:
    return Settings(database_url="", data_dir=tmp, secret=SECRET, **more)


@pytest.fixture
def brain(db: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Brain]:
    with db.writing() as conn:
        conn.execute(
            insert(projects), [{"id": PROJECT, "slug": "shop", "name": "Shop", "created": 0}]
        )
    holder: list[Brain] = []
    more = getattr(request, "param", {})

    def heard(info: CommitInfo) -> None:
        with holder[0].heard:
            holder[0].commits.append(info)
            holder[0].heard.notify_all()

    gateway = open_gateway(db, settings(tmp_path, **more), CLOCK, os.urandom, heard)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        made = Brain(db, RootKeys(SECRET), gateway, listener.getsockname()[1])
        holder.append(made)
        server, thread = serve(made, listener)
        yield made
        asyncio.run_coroutine_threadsafe(gateway.drain(), made.loop).result(10)
        server.should_exit = True
        thread.join(10)


def serve(brain: Brain, listener: socket.socket) -> tuple[uvicorn.Server, threading.Thread]:
    ready = threading.Event()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        brain.loop = asyncio.get_running_loop()
        await brain.gateway.start()
        ready.set()
        yield
        await brain.gateway.stop()

    app = Starlette(routes=brain.gateway.routes(), lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", **UVICORN))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert ready.wait(10)
    return server, thread


class Polled:
    """The agent's own way over requests, as the WebSocket that the tests speak through."""

    def __init__(self, brain: Brain, _key: NewKey) -> None:
        where = parse_dsn(brain.dsn(_key))
        self.link = poll.dial(where, None, CLOCK)

    def send(self, data: bytes) -> None:
        with gone():
            self.link.send(data)
            self.link.flush()

    def recv(self, timeout: float = 5) -> bytes:
        with gone():
            data = self.link.receive(timeout)
        if data is None:
            raise TimeoutError
        return data

    def unlock(self, key: bytes) -> None:
        self.link.unlock(key)

    def close(self, code: int = 1000) -> None:
        self.link.close(code)


@contextmanager
def gone() -> Iterator[None]:
    """What ends a way over requests, as a WebSocket ends."""
    try:
        yield
    except Away as error:
        raise ConnectionClosedError(Close(4000 + error.status, ""), None) from error
    except Closed as error:
        raise ConnectionClosedError(Close(error.close_code, ""), None) from error


class Agent:
    """An agent by hand: every record is sent and awaited by the test."""

    def __init__(self, brain: Brain, key: NewKey, *, project: str = "shop", **more: Any) -> None:
        self.key = key
        key_id = parse_key_id(key.key_id)
        credential = Credential(*key_id, parse_secret(key_id, key.secret))
        self.stream = more.pop("stream", secrets.token_bytes(16))
        self.epoch = more.pop("epoch", 1)
        self.verbs = more.pop("verbs", {"cancel": 3, "retry": 1})
        self.apps = more.pop("apps", ("app",))
        self.role = more.pop("role", "worker")
        self.groups = more.pop("groups", ())
        self.wire = AgentSession(
            credential,
            url=more.pop("url", brain.url),
            project=project,
            nonce=more.pop("nonce", None) or os.urandom(32),
            now=CLOCK.monotonic(),
        )
        self._open = ExitStack()
        self.socket: Any
        if more.pop("transport", "websocket") == "poll":
            self.socket = Polled(brain, key)
            self._open.callback(self.socket.close)
            return
        self.socket = self._open.enter_context(
            connect(
                brain.url,
                subprotocols=["z4j.2"],
                compression=None,
                ping_interval=None,
                close_timeout=1,
                **more,
            )
        )

    def met(self) -> Agent:
        """Up to the proof of the brain."""
        self.socket.send(self.wire.hello())
        self.wire.receive_challenge(self.recv())
        if isinstance(self.socket, Polled):
            self.socket.unlock(self.wire.poll_key)
        return self

    def shake(self) -> Agent:
        self.met()
        self.socket.send(self.wire.register(self.register()))
        received = self.receive()
        assert received.type == RecordType.WELCOME
        self.welcome = received.body
        return self

    def register(self) -> Register:
        return Register(
            stream=self.stream, epoch=self.epoch, host="h1", os="linux", boot="b", pid=7,
            role=self.role, agent="2.0.0", python="3.11", storage="disk", clock=CLOCK.wall_us(),
            policy=Policy("run", bytes(8)), tags={},
            apps=tuple(
                App("celery", app, "5", "2", tuple(map(Verb._make, self.verbs.items())), ())
                for app in self.apps
            ),
            groups=tuple(self.groups),
        )  # fmt: skip

    def recv(self) -> bytes:
        data = self.socket.recv(timeout=5)
        assert isinstance(data, bytes)
        return data

    def receive(self) -> Any:
        return self.wire.receive(self.recv(), CLOCK.monotonic())

    def until(self, type_: RecordType) -> Any:
        while True:
            received = self.receive()
            if received.type == type_:
                return received.body

    def open(self, handle: int = 1, klass: int = 0, segment: bytes = b"segment1") -> int:
        entry = Open(handle, self.stream, self.epoch, klass, segment, 1, {"host": "h1"})
        self.socket.send(self.wire.send(RecordType.OPEN, [entry]))
        return self.until(RecordType.ACK).marks[0].upto

    def events(self, first: int, bodies: list[bytes], handle: int = 1) -> None:
        self.socket.send(self.wire.events_record(handle, first, 0, bodies))

    def send_all(self, records: list[bytes]) -> None:
        """In as few messages as the way allows: requests are counted."""
        for record in records:
            if isinstance(self.socket, Polled):
                self.socket.link.send(record)
            else:
                self.socket.send(record)
        if isinstance(self.socket, Polled):
            self.socket.link.flush()

    def close(self) -> None:
        self._open.close()


@pytest.fixture(params=["websocket", "poll"])
def transport(request: pytest.FixtureRequest) -> str:
    """Either way to the brain: what holds on one holds on the other."""
    return str(request.param)


@pytest.fixture
def agents(brain: Brain, transport: str) -> Iterator[Any]:
    made: list[Agent] = []

    def agent(key: NewKey | None = None, **more: Any) -> Agent:
        made.append(Agent(brain, key or brain.key(), **{"transport": transport} | more))
        return made[-1]

    yield agent
    for one in made:
        one.close()
