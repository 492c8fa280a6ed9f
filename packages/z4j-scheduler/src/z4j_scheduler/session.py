"""One session with the brain, from dialling to its end. The rule: it has no spool and no engine.

Five records leave it: REGISTER, BEAT, UPDATE, WANT and LEASE. The key of a scheduler may send no
other.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from z4j_core.agent.channel import Channel
from z4j_core.agent.errands import Errands
from z4j_core.agent.heartbeat import rss_kb
from z4j_core.agent.link import Closed, Link
from z4j_core.agent.session import lifetime_s
from z4j_core.clock import Clock
from z4j_core.config import Dsn
from z4j_core.errors import WireError
from z4j_core.wire import AgentSession, RecordType
from z4j_core.wire.bodies import Beat, Close, Group, Pong, Register, SpoolState, Want, Welcome
from z4j_core.wire.replication import Leased, Schedules

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
            Schedules: lambda page: self._channel.want(self._host.received(page)),
            Leased: self._host.errands.answered,
            Close: self._closed,
            Pong: lambda _pong: None,
        }

    def run(self, is_enough: Callable[[], bool], wait_s: float) -> None:
        """Connect and serve until it is enough, looked at every `wait_s` seconds at least.

        Raises:
            Away: no connection.
            WireError: the session is over.
            Closed: the connection is over.
        """
        link = self._host.dial(self._dsn)
        self._channel = Channel(self._wire, link, self._clock)
        try:
            self._welcome(self._channel.greet(self._host.register, self._small))
            self._serve(link, is_enough, wait_s)
        except Closed:
            self._last_words(link)
            raise
        except WireError as error:
            link.close(error.close_code, str(error))
            raise
        finally:
            self._host.errands.closed()
            link.close()

    def _last_words(self, link: Link) -> None:
        """Read what came before the connection went: a CLOSE in it is the true cause."""
        while (data := link.receive(0)) is not None:
            self._handle(self._channel.read(data))

    def _welcome(self, welcome: Welcome) -> None:
        self.opened_at = self._clock.monotonic()
        wants = self._host.welcomed(self._dsn, welcome)
        self._host.errands.opened(self._channel.ask)
        self._channel.want(wants)

    def _small(self) -> Register:
        """REGISTER without groups, of which UPDATE tells."""
        self._host.changed.set()
        return self._host.register(())

    def _serve(self, link: Link, is_enough: Callable[[], bool], wait_s: float) -> None:
        while not is_enough():
            self._beat()
            self._update()
            if self._clock.monotonic() > self._wire.deadline:
                raise WireError("Silence", "the brain is silent", 4408)
            data = link.receive(wait_s)
            while data is not None:
                with self._channel.turn:
                    self._handle(self._channel.read(data))
                data = link.receive(0)
        self._channel.bye()

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
        self._channel.send(RecordType.BEAT, Beat(
            n=self._beats, mono=int(now * 1000), age_ms=0, spool=_NO_SPOOL, lag_ms=None,
            lag_max_ms=None, busy=None, slots=None, done=None,
            cpu_ms=int((spent.user + spent.system) * 1000), rss_kb=rss_kb(), inventory=(),
        ))  # fmt: skip

    def _update(self) -> None:
        if self._host.changed.is_set():
            self._host.changed.clear()
            self._channel.send(RecordType.UPDATE, {"groups": self._host.told()})
        self._channel.want(self._host.wants())
