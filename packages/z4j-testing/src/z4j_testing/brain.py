"""A brain without a database: a real server on loopback. The rule: ack after store.

It keeps in memory what agents send, sends commands, and misbehaves on demand (`knobs`).
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol
from z4j_core.clock import Clock, SystemClock
from z4j_core.wire import (
    MAX_MESSAGE_BYTES,
    PATH,
    PROTOCOL,
    CloseCode,
    Credential,
    Dsn,
    KeyId,
    RecordType,
    Secret,
)
from z4j_core.wire.bodies import Abort, Actor, Command, Flow
from z4j_core.wire.items import Result

from .brain_link import Desk, Link
from .brain_requests import Requests

_TERMINAL = frozenset({2, 3, 4, 5, 6, 7})
_GREETING_S = 10.0
_ACTOR = Actor("operator-1", "Operator", "test")


class FakeBrain(Desk):
    """`with FakeBrain() as brain:` and connect an agent to `brain.dsn`.

    What agents sent is in `brain.store` (segments, registers, beats, snapshots, closes, faults);
    `brain.wait_for(lambda: len(brain.store.tasks) == 3)` waits for it. `port` 0 takes a free one;
    the same brain may be stopped and started again on its port and remembers everything.
    """

    def __init__(
        self,
        *,
        project: str = "demo",
        port: int = 0,
        clock: Clock | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        super().__init__(clock or SystemClock(), entropy)
        self.project = self.schedules.project = project
        self.port = port
        self.accepted = 0
        """How many connections there were ever, whoever opened them."""
        self.credential = self.add_key()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._requests = Requests(self, self._run)

    def add_key(self, cred_id: bytes | None = None, kid: int = 1) -> Credential:
        """A key agents may use from now on."""
        key = KeyId(cred_id or self.entropy(16), kid)
        self.keys[key] = Secret(self.entropy(32))
        return Credential(key.cred_id, key.kid, self.keys[key])

    @property
    def address(self) -> Dsn:
        """Where an agent finds this brain; its `url` is what it dials."""
        return Dsn("http", "127.0.0.1", self.port, "", self.project, self.credential)

    @property
    def dsn(self) -> str:
        """The same as text, secret included."""
        return self.address.reveal()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen."""
        self.stopping.clear()
        self._requests.is_stopping = False
        self._server = serve(
            self._serve,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol(PROTOCOL)],
            compression=None,
            ping_interval=None,
            close_timeout=1,
            max_size=MAX_MESSAGE_BYTES,
            process_request=self._gate,
        )
        upgrades = self._server.handler
        self._server.handler = lambda sock, address: self._meet(upgrades, sock, address)
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="fake-brain")
        self._thread.start()

    def stop(self) -> None:
        """Drop all connections, free the port, keep what is stored."""
        self.stopping.set()
        if self._server is None or self._thread is None:
            return
        self.drop()
        self._requests.stop()
        self._server.shutdown()
        self._thread.join()
        self._server = self._thread = None
        self.wait_for(lambda: not self.links)

    def _serve(self, socket: ServerConnection) -> None:
        if self.knobs.deaf_sockets:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    socket.recv()
        self._run(Link(self, socket))

    def _run(self, link: Link) -> None:
        self.store.note(lambda: self.links.append(link))
        link.run()

    def _meet(self, upgrades: Callable[..., None], sock: socket.socket, address: Any) -> None:
        """Take a connection to whom its first bytes ask for."""
        self.store.note(self._count)
        if not _posts(sock):
            upgrades(sock, address)
            return
        try:
            self._requests.serve(sock, address)
        finally:
            getattr(self._server, "handler_threads", set()).discard(threading.current_thread())

    def _count(self) -> None:
        self.accepted += 1

    def _gate(self, socket: ServerConnection, request: Request) -> Response | None:
        if request.path != PATH:
            return socket.respond(HTTPStatus.NOT_FOUND, "")
        if self.knobs.no_upgrade:
            return socket.respond(HTTPStatus(self.knobs.no_upgrade), "")
        if "Origin" in request.headers:
            return socket.respond(HTTPStatus.FORBIDDEN, "")
        return None

    def wait_for(self, predicate: Callable[[], object], timeout_s: float = 5.0) -> None:
        """Wait until `predicate` holds; it is asked after each change of the store.

        Raises:
            TimeoutError: it did not hold in time.
        """
        self.store.wait_for(predicate, timeout_s)

    def wait_for_agent(self, stream: bytes = b"", timeout_s: float = 5.0) -> Link:
        """The first agent whose session is open (of `stream`, when given)."""
        self.wait_for(lambda: self._open_links(stream), timeout_s)
        return self._open_links(stream)[0]

    def _open_links(self, stream: bytes = b"") -> list[Link]:
        return [one for one in self.links if one.is_open and stream in (b"", one.stream)]

    def command(
        self,
        verb: str,
        engine: str,
        app: str,
        targets: Sequence[str] = (),
        params: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> bytes:
        """Send a COMMAND to the first open agent; its id. `changes` replace fields of Command.

        `stream` among them picks the agent by its own stream.
        """
        link = self.wait_for_agent(changes.pop("stream", b""))
        order = self._order(verb, engine, app, targets, params)
        age_ms = int((self.clock.monotonic() - link.welcomed_at) * 1000)
        order = order._replace(**{"deadline_ms": age_ms + order.deadline_ms, **changes})
        link.send(RecordType.COMMAND, order)
        return order.cmd_id

    def publish(self, engine: str, app: str, schedules: Mapping[str, bytes], **more: Any) -> None:
        """Send the next revision of a group to every agent that may lead it.

        `schedules` are encoded replicas by id; `more` are fields of `Snapshot`.
        """
        change = self.schedules.publish(engine, app, schedules, **more)
        for link in self._open_links():
            link.tell(change)

    def stand(
        self, verb: str, engine: str, app: str, targets: Sequence[str] = (),
        params: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Tell every worker that connects from now on, before anything else."""
        self.standing.append(self._order(verb, engine, app, targets, params))

    def _order(
        self, verb: str, engine: str, app: str, targets: Sequence[str],
        params: Mapping[str, Any] | None,
    ) -> Command:  # fmt: skip
        return Command(
            self.entropy(16), verb, engine, app, tuple(targets), dict(params or {}),
            60_000, _ACTOR, "", 0, None,
        )  # fmt: skip

    def abort(self, cmd_id: bytes, reason: str = "") -> None:
        """Send ABORT to every open agent."""
        for link in self._open_links():
            link.send(RecordType.ABORT, Abort(cmd_id, reason))

    def result(self, cmd_id: bytes, timeout_s: float = 5.0) -> Result:
        """The last word on a command; waits for one that is not `accepted` or `duplicate`."""

        def ended() -> list[Result]:
            return [one for one in self.store.results(cmd_id) if one.state in _TERMINAL]

        self.wait_for(ended, timeout_s)
        return ended()[-1]

    def flow(self, *, credit: int = 8, pause_ms: int = 0, shed: int = 0) -> None:
        """Send FLOW to every open agent."""
        for link in self._open_links():
            link.send(RecordType.FLOW, Flow(credit, pause_ms, shed))

    def release_acks(self) -> None:
        """Send the ACKs that were held, and hold no more."""
        self.knobs.hold_acks = False
        for link in self._open_links():
            marks, link.held = tuple(link.held), []
            link.acknowledge(marks)

    def close(self, code: int = CloseCode.DRAINING, reason: str = "", retry_ms: int = 0) -> None:
        """Send CLOSE to every open agent and hang up."""
        for link in self._open_links():
            link.close(code, reason, retry_ms)

    def drop(self) -> None:
        """Cut every connection without a word."""
        for link in list(self.links):
            link.drop()


def _posts(sock: socket.socket) -> bool:
    """Whether somebody begins with a POST; nothing is taken from what he sent."""
    try:
        sock.settimeout(_GREETING_S)
        return sock.recv(4, socket.MSG_PEEK) == b"POST"
    except OSError:
        return False
    finally:
        sock.settimeout(None)
