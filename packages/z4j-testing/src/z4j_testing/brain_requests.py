"""The door of a fake brain for agents that poll. The rule: the same sessions, other envelopes.

One thread runs the session as it does for a WebSocket; requests hand it what came and take what it
has to say.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from websockets.exceptions import ConnectionClosedError
from z4j_core.errors import WireError
from z4j_core.wire.codes import MAX_HANDSHAKE_BYTES
from z4j_core.wire.poll import (
    DOWN_PATH,
    HELLO_PATH,
    MAX_BATCH_BYTES,
    POLL_BYTES,
    SESSION_HEADER,
    UP_PATH,
    WAIT_S,
    join,
    proven,
    split,
)

from .brain_link import Desk, Link

_GONE = 410
_ANSWER_S = 10.0


class PolledSocket:
    """What a session sees of an agent that polls: the part of a WebSocket that `Link` uses."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inbox: deque[bytes] = deque()
        self._outbox: deque[bytes] = deque()
        self._is_idle = False
        self.closed_with = 0
        self.is_cut = False
        self.has_polled = False
        self.polls = 0

    def recv(self, timeout: float | None = None) -> bytes:
        """The next message; as `ServerConnection.recv`."""
        with self._changed:
            self._is_idle = True
            self._changed.notify_all()
            came = self._changed.wait_for(lambda: self._inbox or self.closed_with, timeout)
            self._is_idle = False
            if self._inbox:
                return self._inbox.popleft()
            if came:
                raise ConnectionClosedError(None, None)
            raise TimeoutError

    def send(self, data: bytes) -> None:
        """Keep a message for the next answer; as `ServerConnection.send`."""
        with self._changed:
            if self.closed_with:
                raise ConnectionClosedError(None, None)
            self._outbox.append(data)
            self._changed.notify_all()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """End the session; what it said is still answered."""
        with self._changed:
            self.closed_with = self.closed_with or int(code)
            self._changed.notify_all()

    def close_socket(self) -> None:
        """End the session, its requests unanswered."""
        with self._changed:
            self.is_cut = True
            self._outbox.clear()
        self.close(1006)

    def feed(self, messages: list[bytes]) -> list[bytes]:
        """Hand over messages and wait until they are dealt with; what was said meanwhile.

        Once somebody polls, it is left for the polls: two answers may overtake each other.
        """
        with self._changed:
            self._inbox.extend(messages)
            self._is_idle = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_idle or self.closed_with)
            return [] if self.has_polled else self._taken()

    def poll(self, timeout_s: float) -> list[bytes]:
        """What the session has to say, as soon as there is something."""
        with self._changed:
            self.has_polled = True
            self._changed.wait_for(lambda: self._outbox or self.closed_with, timeout_s)
            return self._taken()

    def _taken(self) -> list[bytes]:
        taken = list(self._outbox)
        self._outbox.clear()
        return taken


class Requests:
    """All sessions of one fake brain that poll, by their handles."""

    def __init__(self, desk: Desk, run: Callable[[Link], None]) -> None:
        self._desk = desk
        self._run = run
        self._links: dict[str, Link] = {}
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.is_stopping = False

    def serve(self, connection: socket.socket, address: Any) -> None:
        """Answer the requests of one connection until it ends."""
        desk, doors = self._desk, self._doors
        server: Any = self  # a handler only keeps it

        class Handler(BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"
            timeout = WAIT_S + _ANSWER_S

            def do_POST(self) -> None:
                """Answer one request."""
                status, body = 404, b""
                headers: dict[str, str] = {}
                if "Origin" in self.headers:
                    status = 403
                elif self.path in doors and not desk.knobs.no_polls:
                    size = int(self.headers.get("Content-Length") or 0)
                    given = self.rfile.read(min(size, MAX_BATCH_BYTES + 1))
                    handle = self.headers.get(SESSION_HEADER, "")
                    status, headers, body = doors[self.path](handle, given)
                if status:
                    self.send_response(status)
                    for name, value in (headers | {"Content-Length": str(len(body))}).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                else:
                    self.close_connection = True

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name there
                """Say nothing."""

        self._open.add(connection)
        with contextlib.suppress(OSError, ValueError), connection:
            if self.is_stopping:
                return
            Handler(connection, address, server)
        self._open.discard(connection)

    def stop(self) -> None:
        """End every connection and wait for the sessions."""
        self.is_stopping = True
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for link in self._links.values():
            link.drop()
        for thread in self._threads:
            thread.join(_ANSWER_S)
        self._links.clear()
        self._threads.clear()

    @property
    def _doors(self) -> dict[str, Callable[[str, bytes], tuple[int, dict[str, str], bytes]]]:
        return {HELLO_PATH: self._hello, UP_PATH: self._up, DOWN_PATH: self._down}

    def _hello(self, _handle: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if not 0 < len(body) <= MAX_HANDSHAKE_BYTES:
            return 413, {}, b""
        polled = PolledSocket()
        link = Link(self._desk, polled)
        handle = self._desk.entropy(16).hex()
        self._links[handle] = link
        thread = threading.Thread(target=self._run, args=(link,), name="fake-brain", daemon=True)
        self._threads.append(thread)
        thread.start()
        said = polled.feed([body])
        if not said:
            return 0 if polled.is_cut else _status(polled), {}, b""
        return 200, {SESSION_HEADER: handle}, said[0]

    def _up(self, handle: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        link = self._links.get(handle)
        if link is None or link.socket.closed_with:
            return _GONE, {}, b""
        try:
            records = split(body)
        except WireError as error:
            return error.close_code - 4000, {}, b""
        if not records or not link.session.expects(records[0]):
            return 403, {}, b""
        said = link.socket.feed(records)
        return 0 if link.socket.is_cut else 200, {}, join(said)

    def _down(self, handle: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        link = self._links.get(handle)
        if link is None or link.socket.is_cut:
            return 0 if link else _GONE, {}, b""
        polled: PolledSocket = link.socket
        try:
            number = proven(link.session.poll_key, body) if len(body) == POLL_BYTES else 0
        except WireError:
            number = 0
        if number != polled.polls + 1:
            return 403 if not number else 409, {}, b""
        polled.polls = number
        said = polled.poll(WAIT_S)
        if polled.closed_with and not said:
            return 0 if polled.is_cut else _status(polled), {}, b""
        return 0 if polled.is_cut else 200, {}, join(said)


def _status(polled: PolledSocket) -> int:
    return polled.closed_with - 4000 if polled.closed_with >= 4400 else _GONE
