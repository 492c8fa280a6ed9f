"""One connection to a fake brain. The rule: every record goes through the real session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.exceptions import ConnectionClosed
from z4j_core.clock import Clock
from z4j_core.errors import WireError
from z4j_core.wire import (
    HANDSHAKE_S,
    PROBE,
    BrainSession,
    CloseCode,
    Credential,
    KeyId,
    Nonces,
    RecordType,
    Secret,
    decode_events,
    decoy_secret,
)
from z4j_core.wire.bodies import (
    Ack,
    Actor,
    Beat,
    Close,
    Command,
    Group,
    Mark,
    Open,
    Pong,
    Register,
    Snapshot,
    Want,
    Welcome,
)
from z4j_core.wire.codes import Fault, fault
from z4j_core.wire.items import MAX_TAG
from z4j_core.wire.replication import Lease

from .brain_schedules import Change, Groups
from .brain_store import Place, Store

_T = RecordType


@dataclass(slots=True)
class Knobs:
    """How a fake brain behaves; may be changed at any time, from any thread."""

    refuse: int = 0
    """Close code answered to a live key, with `detail`."""
    detail: str = ""
    hang: bool = False
    """Read HELLO and never answer."""
    deaf: bool = False
    """Read records and neither store nor answer them."""
    hold_acks: bool = False
    """Store, but keep ACKs until `release_acks`."""
    drop_before_ack: bool = False
    """Store the next EVENTS, then cut the connection instead of answering; resets itself."""
    no_upgrade: int = 0
    """HTTP status with which WebSockets are refused, as by a proxy."""
    deaf_sockets: bool = False
    """Never answer HELLO on a WebSocket, as behind a proxy that swallows what comes after 101."""
    no_polls: bool = False
    """Know no requests, as an older brain."""
    credit: int = 8
    hb_ms: int = 10_000
    deflate_min: int = 0
    backoff_cap_ms: int = 1_000


class Desk:
    """What all connections of one fake brain share."""

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self.clock = clock
        self.entropy = entropy
        self.brain_id = entropy(16)
        self.keys: dict[KeyId, Secret] = {}
        self.knobs = Knobs()
        self.nonces = Nonces()
        self.store = Store()
        self.links: list[Link] = []
        self.schedules = Groups("", self._credentials)
        self.standing: list[Command] = []
        """What each worker is told before anything else, under an id of its own."""
        self.stopping = threading.Event()

    def _credentials(self) -> list[Credential]:
        return [Credential(key.cred_id, key.kid, secret) for key, secret in self.keys.items()]

    def welcome(self) -> Welcome:
        """WELCOME as the knobs stand."""
        knobs = self.knobs
        return Welcome(
            session=self.entropy(16),
            brain="fake",
            hb_ms=knobs.hb_ms,
            deflate_min=knobs.deflate_min,
            backoff_cap_ms=knobs.backoff_cap_ms,
            credit=knobs.credit,
            max_tag=int(MAX_TAG),
            clock=self.clock.wall_us(),
            groups=self.schedules.newest(),
        )

    def supersede(self, newer: Link) -> None:
        """Let the newer connection of a stream win."""
        for link in list(self.links):
            if link is not newer and link.is_open and link.stream == newer.stream:
                link.close(CloseCode.SUPERSEDED, "superseded")


class Link:
    """One connection; `socket` is a ServerConnection, or what stands for one when agents poll."""

    def __init__(self, desk: Desk, socket: Any) -> None:
        self.desk = desk
        self.socket = socket
        self.session = BrainSession(
            brain_id=desk.brain_id,
            nonce=desk.entropy(32),
            now=desk.clock.monotonic(),
            credit=desk.knobs.credit,
            nonces=desk.nonces,
        )
        self.register: Register | None = None
        self.groups: tuple[Group, ...] = ()
        """As said in REGISTER and UPDATE."""
        self.places: dict[int, tuple[Place, int]] = {}
        self.held: list[Mark] = []
        self.is_open = False
        self.welcomed_at = 0.0
        """When it was said, from which deadlines count (monotonic seconds)."""
        self._sending = threading.Lock()

    @property
    def stream(self) -> bytes:
        """The agent's own stream; empty before REGISTER."""
        return self.register.stream if self.register else b""

    def send(self, type_: int, body: Any) -> None:
        """Seal and send one record; a connection that is gone is no error."""
        with self._sending:
            try:
                self.socket.send(self.session.send(type_, body))
            except ConnectionClosed:
                self.is_open = False

    def close(self, code: int, reason: str = "", retry_after_ms: int = 0) -> None:
        """CLOSE, where there is a session to say it in, then the WebSocket close with its code."""
        self.is_open = False
        try:
            self.send(_T.CLOSE, Close(int(code), reason[:200], retry_after_ms))
        except WireError:
            self.is_open = False
        self.socket.close(int(code), reason[:100])

    def drop(self) -> None:
        """Cut the connection without a word."""
        self.is_open = False
        self.socket.close_socket()

    def run(self) -> None:
        """Serve until the connection ends; what an agent did wrong is kept in `store.faults`."""
        try:
            self._shake()
            while True:
                self._receive(self.socket.recv())
        except ConnectionClosed:
            pass
        except TimeoutError:
            self.socket.close(CloseCode.TIMEOUT, "handshake took too long")
        except WireError as error:
            found = error
            self.desk.store.note(lambda: self.desk.store.faults.append(found))
            self.close(error.close_code, str(error))
        finally:
            self.is_open = False
            self.desk.store.note(lambda: self.desk.links.remove(self))

    def _shake(self) -> None:
        self.session.receive_hello(_binary(self.socket.recv(timeout=HANDSHAKE_S)))
        knobs, key = self.desk.knobs, self.session.key_id
        if knobs.hang:
            self.desk.stopping.wait()
            return
        secret = self.desk.keys.get(key)
        refuse = knobs.refuse if secret else 0
        secret = secret or decoy_secret(self.desk.brain_id * 2, key)
        self.socket.send(self.session.challenge(secret, refuse=refuse, detail=knobs.detail))

    def _receive(self, message: str | bytes) -> None:
        received = self.session.receive(_binary(message), self.desk.clock.monotonic())
        if self.desk.knobs.deaf:
            return
        if received.type == _T.EVENTS:
            self._store(received.raw)
        elif received.type in _HANDLERS:
            _HANDLERS[_T(received.type)](self, received.body)

    def _store(self, raw: bytes) -> None:
        batch = decode_events(raw)
        if batch.head.handle not in self.places:
            raise fault(Fault.STATE, f"handle {batch.head.handle} is not open")
        place, epoch = self.places[batch.head.handle]
        mark = Mark(batch.head.handle, self.desk.store.add(place, epoch, batch))
        if self.desk.knobs.drop_before_ack:
            self.desk.knobs.drop_before_ack = False
            self.drop()
        elif self.desk.knobs.hold_acks:
            self.held.append(mark)
        else:
            self.acknowledge((mark,))

    def tell(self, change: Change) -> None:
        """Send a new revision, if this agent may lead its group."""
        for group in self.groups:
            if group.candidate and (group.engine, group.app) == change.found[3:5]:
                for page in change.pages_for(group.era, group.revision):
                    self.send(_T.SCHEDULES, page)

    def acknowledge(self, marks: tuple[Mark, ...]) -> None:
        """ACK with the credit of the knobs."""
        self.send(_T.ACK, Ack(marks, self.desk.knobs.credit))


def _binary(message: str | bytes) -> bytes:
    if isinstance(message, str):
        raise fault(Fault.MALFORMED, "a text message")
    return message


def _on_register(link: Link, body: Register) -> None:
    link.register, link.groups = body, body.groups
    link.desk.supersede(link)
    link.welcomed_at = link.desk.clock.monotonic()
    link.send(_T.WELCOME, link.desk.welcome())
    link.is_open = True
    if PROBE in body.features:
        actor = Actor("z4j", "z4j", "probe")
        probe = Command(link.desk.entropy(16), "workers", "z4j", PROBE, (), {}, 5_000, actor, "")
        link.send(_T.COMMAND, probe)
        return
    for order in link.desk.standing if body.role == "worker" else ():
        link.send(_T.COMMAND, order._replace(cmd_id=link.desk.entropy(16)))
    link.desk.store.note(lambda: link.desk.store.registers.append(body))


def _on_open(link: Link, body: tuple[Open, ...]) -> None:
    marks = []
    for one in body:
        if one.handle in link.places:
            raise fault(Fault.STATE, f"handle {one.handle} was used before")
        place = Place(one.stream, one.klass, one.segment)
        link.places[one.handle] = (place, one.epoch)
        upto = link.desk.store.open(link.session.key_id.cred_id, place, one.epoch)
        marks.append(Mark(one.handle, upto))
    link.acknowledge(tuple(marks))


def _on_done(link: Link, body: tuple[int, ...]) -> None:
    def finish() -> None:
        for handle in body:
            link.desk.store.segments[link.places[handle][0]].done = True

    link.desk.store.note(finish)


def _on_beat(link: Link, body: Beat) -> None:
    link.desk.store.note(lambda: link.desk.store.beats.append(body))
    link.send(_T.PONG, Pong(body.n, body.mono, None, link.desk.clock.wall_us()))


def _on_snapshot(link: Link, body: Snapshot) -> None:
    link.desk.store.note(lambda: link.desk.store.snapshots.append(body))


def _on_update(link: Link, body: dict[str, Any]) -> None:
    link.groups = body.get("groups", link.groups)
    _on_other(link, body)


def _on_want(link: Link, body: tuple[Want, ...]) -> None:
    _on_other(link, body)
    for want in body:
        for page in link.desk.schedules.wanted(want):
            link.send(_T.SCHEDULES, page)


def _on_lease(link: Link, body: Lease) -> None:
    link.send(_T.LEASED, link.desk.schedules.leased(body))


def _on_other(link: Link, body: Any) -> None:
    link.desk.store.note(lambda: link.desk.store.others.append(body))


def _on_close(link: Link, body: Close) -> None:
    link.desk.store.note(lambda: link.desk.store.closes.append(body))
    link.socket.close()


_HANDLERS: dict[RecordType, Callable[[Link, Any], None]] = {
    _T.REGISTER: _on_register,
    _T.OPEN: _on_open,
    _T.DONE: _on_done,
    _T.BEAT: _on_beat,
    _T.SNAPSHOT: _on_snapshot,
    _T.WANT: _on_want,
    _T.LEASE: _on_lease,
    _T.UPDATE: _on_update,
    _T.CLOSE: _on_close,
}
