"""One proven agent on one socket. The rule: records leave in the order they are sealed."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.websockets import WebSocketDisconnect
from z4j_core.errors import WireError
from z4j_core.wire import BrainSession, RecordType
from z4j_core.wire.bodies import Ack, App, Mark, Register

from ..ingest.rows import Meta
from .limits import Quota
from .polled import PolledSocket

MAX_CREDIT = 8
GONE = (WireError, OSError, RuntimeError, WebSocketDisconnect)
"""What sending on a socket raises when nobody is there any more."""


class Socket(Protocol):
    """What a session needs of a WebSocket, or of what stands for one when an agent polls."""

    async def receive(self) -> MutableMapping[str, Any]: ...
    async def send_bytes(self, data: bytes) -> None: ...
    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """What a handle stands for."""

    stream: str
    cls: int
    segment: str
    epoch: int
    meta: Meta


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the agent is: decided by its key, never by what it says."""

    project_id: str
    slug: str
    cred_id: str
    kid: int
    session: str
    address: str
    role: str = "agent"


SCHEDULER = "scheduler"
"""Role of the key of a standalone scheduler: it leads and asks for due slots, and no more."""


class Connection:
    """Socket, session and what the agent said about itself."""

    def __init__(
        self, socket: Socket, wire: BrainSession, who: Identity, register: Register, now: float
    ) -> None:
        self._socket = socket
        self._lock = asyncio.Lock()
        self._acks: dict[int, int] = {}
        self._ack_task: asyncio.Task[None] | None = None
        self.wire = wire
        self.who = who
        self.register = register
        self.stream = register.stream.hex()
        self.epoch = register.epoch
        self.transport = "poll" if isinstance(socket, PolledSocket) else "websocket"
        self.welcomed_at = now
        self.segments: dict[int, Segment] = {}
        self.in_flight: dict[str, bool] = {}
        self.unacked = 0
        self.credit = MAX_CREDIT
        self.quota = Quota(now)
        self.held: dict[tuple[str, str], tuple[int, int]] = {}
        """Era and revision of the schedules of a group it was sent, or says it holds."""
        self.declared: list[tuple[str, str]] | None = None
        """Tags and hashes of the declared sets it reports; None before it could."""
        self.paging = asyncio.Lock()
        self.partials: dict[tuple[str, ...], Any] = {}
        self.closed = asyncio.Event()

    @property
    def apps(self) -> tuple[App, ...]:
        """Engines of this process with their verbs; a scheduler has none, whatever it says."""
        return () if self.who.role == SCHEDULER else self.register.apps

    def scope_of(self, engine: str, app: str, verb: str) -> int:
        """Where this process can do a verb: 0 not at all, 1 broker, 2 process, 3 both."""
        for entry in self.apps:
            if (entry.engine, entry.app) == (engine, app):
                return next((known.scope for known in entry.verbs if known.verb == verb), 0)
        return 0

    async def send(self, type_: RecordType, body: Any) -> bool:
        """Seal and send one record; False when the session is over."""
        async with self._lock:
            if self.closed.is_set():
                return False
            try:
                await self._socket.send_bytes(self.wire.send(type_, body))
            except GONE:
                return False
        return True

    def ack(self, handle: int, upto: int) -> None:
        """Acknowledge after a commit; marks of one commit travel together."""
        self._acks[handle] = upto
        self.unacked -= 1
        if self._ack_task is None:
            self._ack_task = asyncio.create_task(self._send_acks())

    async def _send_acks(self) -> None:
        await asyncio.sleep(0)
        marks = tuple(Mark(handle, upto) for handle, upto in self._acks.items())
        self._acks.clear()
        self._ack_task = None
        if marks:
            await self.send(RecordType.ACK, Ack(marks, self.credit))

    async def close(self, code: int, reason: str = "", retry_after_ms: int = 0) -> None:
        """Say why, then close the socket with the same code; only the first call counts."""
        if self.closed.is_set():
            return
        async with self._lock:
            if self.closed.is_set():
                return
            self.closed.set()
            with suppress(*GONE):
                await self._socket.send_bytes(self.wire.close(code, reason, retry_after_ms))
            with suppress(*GONE):
                await self._socket.close(code)
