"""An agent by hand that tells of fires. The rule: what it tells passes the gateway and the ingest."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec
from websockets.sync.client import connect
from websockets.typing import Subprotocol
from z4j_core.agent.items import Source, note_item
from z4j_core.clock import SystemClock
from z4j_core.scheduler.fires import fire_id
from z4j_core.wire import AgentSession, RecordType, parse_dsn
from z4j_core.wire.bodies import (
    App,
    Beat,
    Group,
    Inventory,
    Open,
    Policy,
    Register,
    Snapshot,
    SpoolState,
    Verb,
)  # fmt: skip

CLOCK = SystemClock()
ENGINE, APP = "celery", "shop"
SOURCE = Source(ENGINE, APP)
BEAT_S = 2.0
HASH = b"of-defs1"
LEDGER, FACTS = 1, 2
_DEFINITIONS = 1
_FIRE_ITEM, _TASK_ITEM = 4, 1
_STARTED, _ENDED = (4, 3), (6, 9)
_FAILED = (7, 8)
STATUS = {"sent": 3, "skipped": 4, "missed": 5, "duplicate_suppressed": 9}
encode = msgspec.msgpack.encode


class Told(NamedTuple):
    """One fire: its slot in milliseconds and on the wall, how it went, how late it was sent."""

    slot_ms: int
    slot_local: str
    status: str = "sent"
    lag_ms: int = 12
    failed: bool = False
    reason: str | None = None


class Teller:
    """A connected agent; it beats until it is closed."""

    def __init__(self, dsn: str, definitions: Sequence[Sequence[Any]], revision: int = 0) -> None:
        where = parse_dsn(dsn)
        self._definitions = list(definitions)
        self._revision = revision
        self._stream = os.urandom(16)
        self._told = {LEDGER: 0, FACTS: 0}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._wire = AgentSession(
            where.credential, url=where.url, project=where.project, nonce=os.urandom(32),
            now=CLOCK.monotonic(),
        )  # fmt: skip
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(
                where.url, subprotocols=[Subprotocol("z4j.2")], compression=None,
                ping_interval=None, max_queue=None,
            )
        )  # fmt: skip
        self._shake()
        self._beats = threading.Thread(target=self._beat_on, daemon=True)
        self._beats.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._beats.join(2 * BEAT_S)
        self._open.close()

    def tell(self, schedule_id: str, fires: Sequence[Told]) -> None:
        """Tell fires of a schedule and how their tasks ended; returns when all is stored."""
        sent = [fire for fire in fires if fire.status == "sent"]
        with self._lock:
            self._send(LEDGER, [_fire(schedule_id, fire) for fire in fires])
            self._send(FACTS, [body for fire in sent for body in _task(schedule_id, fire)])

    def note(self, code: str, text: str, *, is_over: bool = False) -> None:
        """Tell of trouble of the group, or that it is over; returns when it is stored."""
        with self._lock:
            self._send(LEDGER, [encode(note_item(CLOCK.wall_us(), code, text, SOURCE, is_over=is_over))])

    def _send(self, handle: int, bodies: list[bytes]) -> None:
        if not bodies:
            return
        first = self._told[handle] + 1
        self._told[handle] += len(bodies)
        self._socket.send(self._wire.events_record(handle, first, 0, bodies))
        while True:
            marks = self._until(RecordType.ACK).marks
            if any(m.handle == handle and m.upto >= self._told[handle] for m in marks):
                return

    def _shake(self) -> None:
        self._socket.send(self._wire.hello())
        self._wire.receive_challenge(self._received())
        self._socket.send(self._wire.register(self._register()))
        self._until(RecordType.WELCOME)
        self._beat()
        self._until(RecordType.WANT)
        page = Snapshot(_DEFINITIONS, ENGINE, APP, HASH, 0, 1, self._definitions)
        self._socket.send(self._wire.send(RecordType.SNAPSHOT, page))
        for handle, klass in ((LEDGER, 1), (FACTS, 0)):
            segment = b"segment%d" % handle
            entry = Open(handle, self._stream, 1, klass, segment, 1, {"host": "h1"})
            self._socket.send(self._wire.send(RecordType.OPEN, [entry]))
            self._until(RecordType.ACK)

    def _register(self) -> Register:
        verbs = tuple(Verb(name, 1) for name in ("fire", "cancel", "retry"))
        return Register(
            stream=self._stream, epoch=1, host="h1", os="linux", boot="b", pid=7, role="worker",
            agent="2.0.0", python="3.11", storage="disk", clock=CLOCK.wall_us(),
            policy=Policy("run", bytes(8)), tags={},
            apps=(App(ENGINE, APP, "5", "2", verbs, ()),),
            groups=(Group(ENGINE, APP, True, 1, self._revision),),
        )  # fmt: skip

    def _beat(self) -> None:
        told = (Inventory(_DEFINITIONS, ENGINE, APP, HASH),)
        beat = Beat(1, 5, 0, SpoolState(0, 1, 0, 0), None, None, 1, 4, 10, 5, 100, told)
        self._socket.send(self._wire.send(RecordType.BEAT, beat))

    def _beat_on(self) -> None:
        while not self._over.wait(BEAT_S):
            with self._lock:
                self._beat()

    def _received(self) -> bytes:
        data = self._socket.recv(timeout=10)
        assert isinstance(data, bytes)
        return data

    def _until(self, type_: RecordType) -> Any:
        while True:
            received = self._wire.receive(self._received(), CLOCK.monotonic())
            if received.type == type_:
                return received.body


def _id_of(schedule_id: str, fire: Told) -> str:
    return fire_id(schedule_id, 1, fire.slot_ms)


def _fire(schedule_id: str, fire: Told) -> bytes:
    due = fire.slot_ms * 1000
    body = [
        _FIRE_ITEM, due + fire.lag_ms * 1000, ENGINE, APP, UUID(schedule_id).bytes, 1,
        fire.slot_ms, None, UUID(_id_of(schedule_id, fire)).bytes, STATUS[fire.status], 1, 1, 1, due, fire.lag_ms,
        1, 1, fire.slot_local, 0, fire.reason, None,
    ]  # fmt: skip
    return encode(body)


def _task(schedule_id: str, fire: Told) -> list[bytes]:
    at = fire.slot_ms * 1000 + fire.lag_ms * 1000
    end = _FAILED if fire.failed else _ENDED
    head = [ENGINE, APP, _id_of(schedule_id, fire), 0, 1, "shop.report"]
    started = [_TASK_ITEM, *_STARTED, at, *head]
    ended = [_TASK_ITEM, *end, at + 40_000, *head]
    return [encode(started), encode(ended)]
