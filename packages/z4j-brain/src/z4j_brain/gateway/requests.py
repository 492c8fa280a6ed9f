"""Agents behind proxies that pass no WebSocket. The rule: a handle alone has no power.

The session is the one every socket has; three requests fill and empty what stands for the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from z4j_core.errors import WireError
from z4j_core.wire import MAX_HANDSHAKE_BYTES, CloseCode
from z4j_core.wire.poll import (
    BRAIN_BYTES,
    DOWN_PATH,
    ELSEWHERE,
    HANDLE_BYTES,
    HELLO_PATH,
    MAX_BATCH_BYTES,
    MEDIA_TYPE,
    POLL_BYTES,
    PREFIX_BYTES,
    SESSION_HEADER,
    UP_PATH,
    WAIT_S,
    join,
    proven,
    split,
)

from .core import Core
from .endpoint import Endpoint
from .frames import Ended
from .handshake import HANDSHAKE_S
from .limits import TooMany
from .polled import PolledSocket

BODY_S = 30.0
LINGER_S = 5.0
STOP_S = 2.0
MAX_READERS = 4
_HTTP = 4000
_GONE = CloseCode.GAP
_ELSEWHERE = _HTTP + ELSEWHERE


class Declined(Exception):
    """This request gets a status and nothing else; the status is a close code less 4000."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.status = code - _HTTP


class Requests:
    """The sessions of agents that poll, by their handles."""

    def __init__(self, core: Core, endpoint: Endpoint) -> None:
        self._core = core
        self._endpoint = endpoint
        self._mark = core.entropy(BRAIN_BYTES).hex()
        self._sessions: dict[str, PolledSocket] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_draining = False

    def __len__(self) -> int:
        return len(self._sessions)

    def routes(self, prefix: str) -> list[BaseRoute]:
        """What the app mounts."""
        doors = {HELLO_PATH: self._hello, UP_PATH: self._up, DOWN_PATH: self._down}
        return [
            Route(prefix + path, _door(door), methods=["POST"], name=f"agent {path}")
            for path, door in doors.items()
        ]

    async def stop(self) -> None:
        """Wait until the sessions that were told to end have ended."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_S)
            for task in late:
                task.cancel()

    async def _hello(self, request: Request) -> Response:
        if self.is_draining:
            raise Declined(CloseCode.DRAINING)
        address = request.client.host if request.client else "?"
        try:
            with self._core.pending.handshake(address):
                hello = await _body(request, MAX_HANDSHAKE_BYTES, HANDSHAKE_S)
        except TooMany as error:
            raise Declined(CloseCode.RATE) from error
        polled = PolledSocket(self._core.clock.monotonic())
        handle = self._mark + self._core.entropy(HANDLE_BYTES - BRAIN_BYTES).hex()
        self._sessions[handle] = polled
        task = asyncio.create_task(self._attend(handle, polled, address), name="z4j polled")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await polled.feed([hello])
        said = polled.take()
        if not said:
            raise Declined(polled.closed_with)
        return _answer(said[0], handle)

    async def _attend(self, handle: str, polled: PolledSocket, address: str) -> None:
        try:
            await self._endpoint.attend(polled, address, polled.met)
        finally:
            await polled.close(CloseCode.INTERNAL)
            polled.stop_expecting()
            linger_s = LINGER_S if polled.has_more else 0
            asyncio.get_running_loop().call_later(linger_s, self._sessions.pop, handle, None)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._core.log.error("a session of an agent that polls failed", exc_info=error)

    async def _up(self, request: Request) -> Response:
        polled = self._session(request)
        limit = MAX_BATCH_BYTES if polled.is_proven else PREFIX_BYTES + MAX_HANDSHAKE_BYTES
        body = await self._read(polled, request, limit)
        records = _split(body)
        _while_open(polled)
        if not records and not polled.is_proven:
            await polled.close(CloseCode.AUTH)  # as an agent closes a socket: it was not convinced
        if polled.is_fed or not records:
            raise Declined(CloseCode.SUPERSEDED if records else CloseCode.MALFORMED)
        if polled.is_proven and not polled.expects(records[0]):
            raise Declined(CloseCode.REVOKED)
        if not polled.may_send(self._core.clock.monotonic()):
            await polled.feed([Ended(CloseCode.RATE, "too many requests a second")])
        else:
            await polled.feed(records)
        said = []
        if not polled.polls:
            said = polled.take()
            polled.expect_poll()
        if not said:
            _while_open(polled)
        return _answer(join(said))

    async def _down(self, request: Request) -> Response:
        polled = self._session(request)
        number = _number(polled, await self._read(polled, request, POLL_BYTES))
        if number != polled.polls + 1:
            raise Declined(CloseCode.SUPERSEDED)
        polled.polls = number
        if polled.is_polled:
            await polled.feed([Ended(CloseCode.MALFORMED, "two polls at once")])
            raise Declined(CloseCode.SUPERSEDED)
        polled.is_polled = True
        polled.stop_expecting()
        try:
            await _wait(polled, request)
        finally:
            polled.is_polled = False
            polled.expect_poll()
        said = polled.take()
        if not said:
            _while_open(polled)
        return _answer(join(said))

    def _session(self, request: Request) -> PolledSocket:
        handle = request.headers.get(SESSION_HEADER, "")
        polled = self._sessions.get(handle)
        if polled is None or polled.wire is None:
            raise Declined(_GONE if handle.startswith(self._mark) else _ELSEWHERE)
        return polled

    async def _read(self, polled: PolledSocket, request: Request, limit: int) -> bytes:
        """Read a body before anything else is done: who is slow is in nobody's way."""
        if polled.readers >= MAX_READERS:
            raise Declined(CloseCode.RATE)
        polled.readers += 1
        try:
            return await _body(request, limit, BODY_S if polled.is_proven else HANDSHAKE_S)
        finally:
            polled.readers -= 1


def _door(handler: Callable[[Request], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        if "origin" in request.headers:
            return _empty(403)
        if "content-encoding" in request.headers:
            return _empty(415)
        try:
            return await handler(request)
        except Declined as declined:
            return _empty(declined.status if 400 <= declined.status < 600 else 410)  # noqa: PLR2004
        except ClientDisconnect:
            return _empty(408)

    return answered


async def _body(request: Request, limit: int, within_s: float) -> bytes:
    size = request.headers.get("content-length", "0")
    if not size.isdigit() or int(size) > limit:
        raise Declined(CloseCode.TOO_LARGE)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise Declined(CloseCode.TOO_LARGE)
    except TimeoutError as error:
        raise Declined(CloseCode.TIMEOUT) from error
    return bytes(body)


async def _wait(polled: PolledSocket, request: Request) -> None:
    """Wait for something to say; an agent that hangs up meanwhile is gone."""
    said = asyncio.ensure_future(polled.wait_said())
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({said, gone}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            polled.lost()
    finally:
        said.cancel()
        gone.cancel()


def _while_open(polled: PolledSocket) -> None:
    if polled.closed_with:
        raise Declined(polled.closed_with)


def _number(polled: PolledSocket, body: bytes) -> int:
    if polled.wire is None or not polled.is_proven:
        raise Declined(CloseCode.REVOKED)
    try:
        return proven(polled.wire.poll_key, body)
    except WireError as error:
        raise Declined(CloseCode.REVOKED) from error


def _split(body: bytes) -> list[bytes]:
    try:
        return split(body)
    except WireError as error:
        raise Declined(error.close_code) from error


def _answer(body: bytes, handle: str = "") -> Response:
    headers = {"Cache-Control": "no-store"}
    if handle:
        headers[SESSION_HEADER] = handle
    return Response(body, 200 if body else 204, headers, MEDIA_TYPE)


def _empty(status: int) -> Response:
    return Response(b"", status, {"Cache-Control": "no-store"})
