"""Sessions of agents. The rule: 4 KiB and 5 s before proof, then a record per message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect
from z4j_core.errors import WireError
from z4j_core.wire import (
    MAX_HANDSHAKE_BYTES,
    PROBE,
    PROTOCOL,
    BrainSession,
    CloseCode,
    RecordType,
)
from z4j_core.wire.bodies import Actor, Command, Newest, Welcome

from ..agents.service import Superseded
from ..db import DRIVER_ERRORS, is_trouble
from .connection import MAX_CREDIT, Connection, Socket
from .core import Core
from .dispatch import Dispatch
from .frames import Ended, Frames
from .handshake import HANDSHAKE_S, Handshake, Proven, Refused
from .limits import TooMany
from .presence import Presence
from .replication import Replication
from .standing import tell

MAX_TAG = 6
_BACKOFF_FLOOR_MS = 2_000
_AGENTS_PER_S = 200
_PROBE_MS = 5_000
_NOT_STORED = "the brain cannot store anything now"
Met = Callable[[BrainSession], None]


def nobody_asks(_wire: BrainSession) -> None:
    """For sockets: who holds the connection holds the session."""


class Endpoint:
    """Takes sockets, and what stands for them, from their first byte to their last."""

    def __init__(
        self, core: Core, frames: Frames, presence: Presence, dispatch: Dispatch,
        replication: Replication,
    ) -> None:  # fmt: skip
        self._core = core
        self._frames = frames
        self._presence = presence
        self._dispatch = dispatch
        self._replication = replication

    async def serve(self, socket: WebSocket) -> None:
        """Serve the agent of one WebSocket until its session is over."""
        if "origin" in socket.headers:
            await socket.send_denial_response(PlainTextResponse("no browsers here", 403))
            return
        if PROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.send_denial_response(PlainTextResponse(f"speak {PROTOCOL}", 400))
            return
        await socket.accept(subprotocol=PROTOCOL)
        await self.attend(socket, socket.client.host if socket.client else "?")

    async def attend(self, socket: Socket, address: str, met: Met = nobody_asks) -> None:
        """Serve one agent until its session is over; `met` hears of it when it was challenged."""
        try:
            connection = await self._handshake(socket, address, met)
        except Refused as refused:
            await socket.close(refused.code)
        except WebSocketDisconnect:
            return
        except DRIVER_ERRORS as error:
            _unless_trouble(error)
            await socket.close(CloseCode.INTERNAL, _NOT_STORED)
        else:
            await self._session(socket, connection)

    async def _handshake(self, socket: Socket, address: str, met: Met) -> Connection:
        try:
            with self._core.pending.handshake(address):
                async with asyncio.timeout(HANDSHAKE_S):
                    proven = await self._prove(socket, address, met)
        except TooMany as error:
            raise Refused(CloseCode.RATE) from error
        except TimeoutError as error:
            raise Refused(CloseCode.TIMEOUT) from error
        now = self._core.clock.monotonic()
        connection = Connection(socket, proven.wire, proven.who, proven.register, now)
        try:
            await self._presence.registered(connection)
        except Superseded as error:
            await connection.close(CloseCode.SUPERSEDED, "the stream has a newer owner")
            raise Refused(CloseCode.SUPERSEDED) from error
        return connection

    async def _prove(self, socket: Socket, address: str, met: Met) -> Proven:
        shake = Handshake(self._core, address)
        answer, code = await shake.challenge(await _small(socket))
        met(shake.wire)
        await socket.send_bytes(answer)
        if code:
            raise Refused(code)
        try:
            return shake.register(await _small(socket))
        except (Refused, WebSocketDisconnect) as error:
            if error.code == CloseCode.AUTH:
                await shake.disbelieved()
            raise

    async def _session(self, socket: Socket, connection: Connection) -> None:
        code, reason = 0, ""
        try:
            newest = await self._replication.newest(connection)
            await connection.send(RecordType.WELCOME, self._welcome(connection, newest))
            if PROBE in connection.register.features:
                await connection.send(RecordType.COMMAND, self._probe())
            await self._dispatch.resend(connection)
            await tell(self._core, connection)
            while True:
                data = await _message(socket)
                received = connection.wire.receive(data, self._core.clock.monotonic())
                await self._frames.carry_out(connection, received)
        except WebSocketDisconnect:
            pass
        except Ended as ended:
            code, reason = ended.code, ended.reason
        except WireError as error:
            code, reason = error.close_code, str(error)
        except DRIVER_ERRORS as error:
            _unless_trouble(error)
            code, reason = CloseCode.INTERNAL, _NOT_STORED
        finally:
            await connection.close(code or 1000, reason)
            await self._presence.ended(connection)

    def _welcome(self, connection: Connection, newest: tuple[Newest, ...]) -> Welcome:
        core = self._core
        return Welcome(
            session=bytes.fromhex(connection.who.session),
            brain=core.version,
            hb_ms=core.heartbeat_ms,
            deflate_min=core.deflate_min_bytes,
            backoff_cap_ms=max(_BACKOFF_FLOOR_MS, len(core.registry) * 1000 // _AGENTS_PER_S),
            credit=MAX_CREDIT,
            max_tag=MAX_TAG,
            clock=core.clock.wall_us(),
            groups=newest,
        )

    def _probe(self) -> Command:
        """A command for somebody who checks the way here and back: it asks for nothing."""
        actor = Actor("z4j", "z4j", "probe")
        cmd_id = self._core.entropy(16)
        return Command(cmd_id, "workers", "z4j", PROBE, (), {}, _PROBE_MS, actor, "a check")


def _unless_trouble(error: Exception) -> None:
    """Let everything pass that is not the database's own trouble, which it tells itself."""
    if not is_trouble(error):
        raise error


async def _message(socket: Socket) -> bytes:
    """The next binary message.

    Raises:
        WebSocketDisconnect: there is none.
        Ended: it is text.
    """
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1006)
    data: bytes | None = message.get("bytes")
    if data is None:
        raise Ended(CloseCode.MALFORMED, "text")
    return data


async def _small(socket: Socket) -> bytes:
    try:
        data = await _message(socket)
    except Ended as error:
        raise Refused(error.code) from error
    if len(data) > MAX_HANDSHAKE_BYTES:
        raise Refused(CloseCode.TOO_LARGE)
    return data
