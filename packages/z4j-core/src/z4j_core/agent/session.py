"""One session, from dialling to its end. The rule: each record type has one row in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ..config import Dsn
from ..errors import WireError
from ..spool import Spool
from ..wire import AgentSession, RecordType
from ..wire.bodies import Abort, Ack, App, Close, Flow, Pong, Register, Want, Welcome
from ..wire.bodies import Command as Ordered
from ..wire.replication import Leased, Schedules
from .channel import Channel
from .commands import Command, Commands
from .inventory import Inventory
from .link import Closed, Link
from .process import Process
from .register import apps_of
from .sender import Batches, Sender

LIFETIME_S = 86_400.0
_DRY_RUN = 1


def lifetime_s(entropy: Callable[[int], bytes]) -> float:
    """A day, give or take a tenth, so that agents started together do not return together."""
    return LIFETIME_S * (0.9 + 0.2 * int.from_bytes(entropy(2), "big") / 0xFFFF)


class Host(Protocol):
    """What a session asks of the agent that opened it."""

    process: Process
    spool: Spool
    batches: Batches
    commands: Commands
    retry_after_s: float

    def dial(self, dsn: Dsn) -> Link:
        """Open a way to the brain."""
        ...

    def register(self, apps: tuple[App, ...] | None = None) -> Register:
        """The body of REGISTER."""
        ...

    def welcomed(self, dsn: Dsn, welcome: Welcome) -> None:
        """Hear that the brain took us."""
        ...

    def look_again(self) -> None:
        """Ask each engine again what it knows."""
        ...

    def upkeep(self) -> None:
        """Do what has to be done now and then."""
        ...


class Session:
    """One open session; used by the agent's thread alone."""

    def __init__(self, agent: Host, dsn: Dsn) -> None:
        self._agent = agent
        self._process = agent.process
        self._clock = agent.process.clock
        self._dsn = dsn
        self._beats = 0
        self._beat_at = 0.0
        self._welcomed_at = 0.0
        self._inventory = Inventory(agent.process)
        self._wire = AgentSession(
            dsn.credential,
            url=dsn.url,
            project=dsn.project,
            nonce=agent.process.entropy(32),
            now=self._clock.monotonic(),
            lifetime_s=lifetime_s(agent.process.entropy),
        )
        self._on: Mapping[type, Callable[[Any], None]] = {
            Ack: self._acknowledged,
            Ordered: self._ordered,
            Abort: lambda body: agent.commands.abort(body.cmd_id),
            Flow: self._slowed,
            Pong: self._answered,
            Close: self._closed,
            Schedules: self._scheduled,
            Leased: self._process.errands.answered,
        }

    @property
    def opened_at(self) -> float:
        """When the brain said WELCOME (monotonic seconds), 0 before."""
        return self._welcomed_at

    def run(self, until: Callable[[Sender], bool]) -> None:
        """Connect and serve until `until(sender)` says that it is enough.

        Raises:
            Away: no connection.
            WireError: the session is over.
            Closed: the connection is over.
        """
        link = self._agent.dial(self._dsn)
        self._channel = Channel(self._wire, link, self._clock)
        try:
            self._welcome(link, self._channel.greet(self._agent.register, self._small))
            self._serve(link, until)
        except Closed:
            self._last_words(link)
            raise
        except WireError as error:
            if error.close_code in (4400, 4413) and self._welcomed_at:
                self._sender.blamed()
            link.close(error.close_code, str(error))
            raise
        finally:
            self._process.errands.closed()
            link.close()

    def _last_words(self, link: Link) -> None:
        """Read what came before the connection went: a CLOSE in it is the true cause.

        Raises:
            WireError: the cause.
            Closed: there was none.
        """
        while (data := link.receive(0)) is not None:
            self._handle(self._channel.read(data))

    def _small(self) -> Register:
        """REGISTER without apps, of which UPDATE tells."""
        self._process.changed.set()
        return self._agent.register(apps=())

    def _welcome(self, link: Link, welcome: Welcome) -> None:
        self._welcomed_at = self._clock.monotonic()
        self._boot_at_welcome = self._clock.boottime()
        self._process.brain_time.hear(welcome.clock)
        self._sender = Sender(
            self._wire, self._agent.spool, link.send, self._agent.batches, self._clock
        )
        self._agent.welcomed(self._dsn, welcome)
        self._process.errands.opened(self._channel.ask)
        self._channel.want(self._process.groups.welcomed(welcome.groups))

    def _serve(self, link: Link, until: Callable[[Sender], bool]) -> None:
        while True:
            self._process.settle_due()
            with self._channel.turn:
                self._sender.step()
                self._beat(link)
                self._update(link)
            self._agent.upkeep()
            if until(self._sender):
                self._channel.bye()
                return
            now = self._clock.monotonic()
            if now > self._wire.deadline:
                raise WireError("Silence", "the brain is silent", 4408)
            while (data := link.receive(self._wait_s())) is not None:
                with self._channel.turn:
                    self._handle(self._channel.read(data))
                if self._process.flushing.wanted or self._process.stopping.is_set():
                    break  # somebody waits for what was just acknowledged

    def _wait_s(self) -> float:
        """Seconds until there is something to do unless a record comes before."""
        beat_s = self._beat_at - self._clock.monotonic()
        return min(self._sender.wait_s(), max(0.0, beat_s))

    def _handle(self, body: Any) -> None:
        if isinstance(body, tuple) and body and isinstance(body[0], Want):
            self._wanted(body)
        elif (row := self._on.get(type(body))) is not None:
            row(body)
            if isinstance(body, Close):
                raise WireError("Closed", body.reason or "closed by the brain", body.code)

    def _acknowledged(self, ack: Ack) -> None:
        self._sender.acknowledged(ack)

    def _slowed(self, flow: Flow) -> None:
        self._sender.flow(flow)

    def _answered(self, pong: Pong) -> None:
        """What was ordered before this process came up was sent ahead of the first PONG."""
        self._process.brain_time.hear(pong.clock)
        if not self._process.caught_up.is_set():
            self._agent.commands.then(self._process.caught_up.set)

    def _closed(self, close: Close) -> None:
        self._agent.retry_after_s = close.retry_after_ms / 1000

    def _ordered(self, order: Ordered) -> None:
        self._agent.commands.submit(
            Command(
                cmd_id=order.cmd_id,
                verb=order.verb,
                engine=order.engine,
                app=order.app,
                targets=tuple(order.targets),
                params=order.params,
                deadline=self._boot_at_welcome + order.deadline_ms / 1000,
                dry_run=bool(order.flags & _DRY_RUN),
            )
        )
        self._sender.hurry()

    def _wanted(self, wants: tuple[Want, ...]) -> None:
        for want in wants:
            for page in self._inventory.pages(want.kind, want.engine, want.app):
                self._channel.send(RecordType.SNAPSHOT, page)

    def _scheduled(self, page: Schedules) -> None:
        self._channel.want(self._process.groups.received(page))

    def _beat(self, link: Link) -> None:
        now = self._clock.monotonic()
        welcome = self._wire.welcome
        if now < self._beat_at or welcome is None:
            return
        self._beat_at = now + welcome.hb_ms / 1000
        self._beats += 1
        self._agent.look_again()
        self._channel.send(RecordType.BEAT, self._inventory.beat(self._beats))

    def _update(self, link: Link) -> None:
        if self._process.changed.is_set():
            self._process.changed.clear()
            self._beat_at = min(self._beat_at, self._clock.monotonic())
            groups = self._process.groups
            told = {"apps": apps_of(self._process), "role": self._process.role}
            self._channel.send(RecordType.UPDATE, {**told, "groups": groups.told()})
            self._channel.want(groups.wants())
