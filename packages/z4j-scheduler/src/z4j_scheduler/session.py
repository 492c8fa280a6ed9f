"""One session with the brain, from dialling to its end. The rule: it has no spool and no engine.

Five records leave it: REGISTER, BEAT, UPDATE, WANT and LEASE. The key of a scheduler may send no
other.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from z4j_core.agent.errands import Errands
from z4j_core.agent.heartbeat import rss_kb
from z4j_core.agent.link import Closed, Link
from z4j_core.agent.session import ASK_S, HANDSHAKE_S, lifetime_s
from z4j_core.clock import Clock
from z4j_core.config import Dsn
from z4j_core.errors import WireError
from z4j_core.wire import AgentSession, Fault, RecordType
from z4j_core.wire.bodies import Beat, Close, Group, Pong, Register, SpoolState, Want, Welcome
from z4j_core.wire.replication import Lease, Leased, Schedules

_NO_SPOOL = SpoolState(0, 0, 0, 0)


class Host(Protocol):
    """What a session asks of the service that opened it."""

    clock: Clock
    entropy: Callable[[int], bytes]
    errands: Errands
    changed: threading.Event
    retry_after_s: float

    def dial(self, dsn: Dsn) -> Link:
        """Open a way to the brain."""
        ...

    def register(self, groups: tuple[Group, ...] | None = None) -> Register:
        """The body of REGISTER; with other groups than there are where these are given."""
        ...

    def told(self) -> tuple[Group, ...]:
        """The groups of this process as of now."""
        ...

    def welcomed(self, dsn: Dsn, welcome: Welcome) -> Sequence[Want]:
        """Hear that the brain took us; what is wanted of it."""
        ...

    def received(self, page: Schedules) -> Sequence[Want]:
        """Take a page of schedules; what is wanted because of it."""
        ...

    def wants(self) -> Sequence[Want]:
        """What is wanted of the brain by now."""
        ...


class Session:
    """One open session; used by one thread, but for questions to the brain as a store."""

    def __init__(self, host: Host, dsn: Dsn) -> None:
        self._host = host
        self._clock = host.clock
        self._dsn = dsn
        self._link: Link | None = None
        self._beats = 0
        self._beat_at = 0.0
        self.opened_at = 0.0
        """When the brain said WELCOME (monotonic seconds), 0 before."""
        self._wire = AgentSession(
            dsn.credential,
            url=dsn.url,
            project=dsn.project,
            nonce=host.entropy(32),
            now=self._clock.monotonic(),
            lifetime_s=lifetime_s(host.entropy),
        )
        self._on: Mapping[type, Callable[[Any], None]] = {
            Schedules: lambda page: self._want(self._host.received(page)),
            Leased: self._host.errands.answered,
            Close: self._closed,
            Pong: lambda _pong: None,
        }
        self._turn = threading.RLock()
        """Sealing a record and sending it are one step, whichever thread asks the brain."""

    def run(self, is_enough: Callable[[], bool], wait_s: float) -> None:
        """Connect and serve until it is enough, looked at every `wait_s` seconds at least.

        Raises:
            Away: no connection.
            WireError: the session is over.
            Closed: the connection is over.
        """
        self._link = self._host.dial(self._dsn)
        try:
            self._handshake(self._link)
            self._serve(self._link, is_enough, wait_s)
        except Closed:
            self._last_words(self._link)
            raise
        except WireError as error:
            self._link.close(error.close_code, str(error))
            raise
        finally:
            self._host.errands.closed()
            self._link.close()

    def _last_words(self, link: Link) -> None:
        """Read what came before the connection went: a CLOSE in it is the true cause."""
        while (data := link.receive(0)) is not None:
            self._handle(self._received(data))

    def _handshake(self, link: Link) -> None:
        link.send(self._wire.hello())
        self._wire.receive_challenge(self._await(link))
        link.unlock(self._wire.poll_key)
        link.send(self._registered())
        body = self._received(self._await(link))
        if not isinstance(body, Welcome):
            raise WireError(Fault.STATE, "the brain did not say WELCOME")
        self.opened_at = self._clock.monotonic()
        wants = self._host.welcomed(self._dsn, body)
        self._host.errands.opened(self._ask)
        self._want(wants)

    def _registered(self) -> bytes:
        """REGISTER, which is small; of many groups UPDATE tells."""
        try:
            return self._wire.register(self._host.register())
        except WireError as error:
            if error.kind != Fault.SIZE:
                raise
            self._host.changed.set()
            return self._wire.register(self._host.register(()))

    def _await(self, link: Link) -> bytes:
        data = link.receive(HANDSHAKE_S)
        if data is None:
            raise Closed(4408, "no answer to the handshake within 5 s")
        return data

    def _serve(self, link: Link, is_enough: Callable[[], bool], wait_s: float) -> None:
        while not is_enough():
            self._beat()
            self._update()
            if self._clock.monotonic() > self._wire.deadline:
                raise WireError("Silence", "the brain is silent", 4408)
            data = link.receive(wait_s)
            while data is not None:
                with self._turn:
                    self._handle(self._received(data))
                data = link.receive(0)
        with self._turn:
            link.send(self._wire.close(1000, "going"))

    def _received(self, data: bytes) -> Any:
        return self._wire.receive(data, self._clock.monotonic()).body

    def _handle(self, body: Any) -> None:
        if (row := self._on.get(type(body))) is not None:
            row(body)

    def _closed(self, close: Close) -> None:
        self._host.retry_after_s = close.retry_after_ms / 1000
        raise WireError("Closed", close.reason or "closed by the brain", close.code)

    def _beat(self) -> None:
        now, welcome = self._clock.monotonic(), self._wire.welcome
        if now < self._beat_at or welcome is None:
            return
        self._beat_at = now + welcome.hb_ms / 1000
        self._beats += 1
        spent = os.times()
        self._send(RecordType.BEAT, Beat(
            n=self._beats, mono=int(now * 1000), age_ms=0, spool=_NO_SPOOL, lag_ms=None,
            lag_max_ms=None, busy=None, slots=None, done=None,
            cpu_ms=int((spent.user + spent.system) * 1000), rss_kb=rss_kb(), inventory=(),
        ))  # fmt: skip

    def _update(self) -> None:
        if self._host.changed.is_set():
            self._host.changed.clear()
            self._send(RecordType.UPDATE, {"groups": self._host.told()})
        self._want(self._host.wants())

    def _want(self, wants: Sequence[Want]) -> None:
        if wants:
            self._send(RecordType.WANT, list(wants))

    def _ask(self, question: Lease) -> None:
        """Ask the brain as a lease store; called by threads that wait for the answer.

        Raises:
            TimeoutError: somebody else has been sending for too long.
        """
        if not self._turn.acquire(timeout=ASK_S):
            raise TimeoutError("the connection is busy")
        try:
            self._send(RecordType.LEASE, question)
        finally:
            self._turn.release()

    def _send(self, type_: RecordType, body: Any) -> None:
        assert self._link is not None
        with self._turn:
            self._link.send(self._wire.send(type_, body))
