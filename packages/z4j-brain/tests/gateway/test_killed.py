"""The brain is killed under load, again and again. The rule: stored + lost = produced."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, insert, select
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from z4j_brain.agents import service
from z4j_brain.agents.model import streams
from z4j_brain.db import Database
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.projects.model import projects
from z4j_brain.tasks.model import attempts, rollup_minute, tasks
from z4j_core.clock import SystemClock
from z4j_core.errors import WireError
from z4j_core.wire import AgentSession, Credential, RecordType, parse_key_id, parse_secret
from z4j_core.wire.bodies import Ack, Close, Open, Policy, Register

SECRET = b"a root secret of exactly 32 byte"
PROJECT = "0" * 31 + "1"
CLOCK = SystemClock()
STREAM, SEGMENT = b"S" * 16, b"segment1"
PER_RECORD = 30
PER_CYCLE = 3_000
CYCLES = int(os.environ.get("Z4J_CHAOS_CYCLES", "200")) // 4
STORED_S = 90
pytestmark = pytest.mark.timeout(240)
T0 = 1_700_000_000_000_000
encode = msgspec.msgpack.encode


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def item(offset: int) -> bytes:
    """Item number `offset` of the stream: 31 tasks' facts and then a LOST of 2 events."""
    if offset % 97 == 0:
        return encode([0, 2, 2])
    number, step = divmod(offset, 3)
    kind, state = ((1, 2), (4, 3), (6, 9))[step]
    return encode([1, kind, state, T0 + offset, "celery", "app", f"t{number}", 1, 1, "shop.charge"])


class Spool:
    """What an agent has written; only an acknowledgement lets it forget."""

    def __init__(self) -> None:
        self.produced = 0
        self.acked = 0
        self.changed = threading.Condition()

    def produce(self, count: int) -> None:
        with self.changed:
            self.produced += count
            self.changed.notify_all()

    def acknowledge(self, upto: int) -> None:
        with self.changed:
            assert upto <= self.produced
            self.acked = max(self.acked, upto)
            self.changed.notify_all()

    def wait_produced(self, more_than: int) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.produced > more_than, 0.2)

    def wait_acked(self, upto: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.acked >= upto, STORED_S)


class Sender(threading.Thread):
    """An agent that reconnects for ever and sends what is not acknowledged."""

    def __init__(self, url: str, credential: Credential, spool: Spool) -> None:
        super().__init__(daemon=True)
        self.url, self.credential, self.spool = url, credential, spool
        self.stopped = threading.Event()
        self.answer_s = 5.0

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                self.session()
            except (OSError, WireError, WebSocketException, TimeoutError):
                self.stopped.wait(0.02)

    def session(self) -> None:
        wire = AgentSession(
            self.credential,
            url=self.url,
            project="shop",
            nonce=os.urandom(32),
            now=CLOCK.monotonic(),
        )
        with connect(self.url, subprotocols=["z4j.2"], compression=None, ping_interval=None) as ws:

            def receive() -> object:
                return wire.receive(bytes(ws.recv(self.answer_s)), CLOCK.monotonic()).body  # type: ignore[arg-type]

            ws.send(wire.hello())
            wire.receive_challenge(bytes(ws.recv(self.answer_s)))  # type: ignore[arg-type]
            ws.send(wire.register(REGISTER))
            receive()
            ws.send(wire.send(RecordType.OPEN, [Open(1, STREAM, 1, 0, SEGMENT, 1, {})]))
            sent = self.acknowledged(receive, 0)
            self.pump(wire, ws.send, receive, sent)

    def pump(
        self,
        wire: AgentSession,
        send: Callable[[bytes], None],
        receive: Callable[[], object],
        sent: int,
    ) -> None:
        acked = sent
        while not self.stopped.is_set():
            while sent < self.spool.produced and sent - acked < 8 * PER_RECORD:
                last = min(sent + PER_RECORD, self.spool.produced)
                send(
                    wire.events_record(1, sent + 1, 0, [item(n) for n in range(sent + 1, last + 1)])
                )
                sent = last
            if sent > acked:
                acked = self.acknowledged(receive, acked)
            else:
                self.spool.wait_produced(sent)

    def acknowledged(self, receive: Callable[[], object], known: int) -> int:
        while True:
            body = receive()
            if isinstance(body, Close):
                raise TimeoutError(body.reason)
            if isinstance(body, Ack):
                mark = body.marks[0].upto
                assert mark >= known
                self.spool.acknowledge(mark)
                return mark


REGISTER = Register(
    stream=STREAM, epoch=1, host="h1", os="linux", boot="b", pid=7, role="worker", agent="2.0.0",
    python="3.11", storage="disk", clock=T0, policy=Policy("run", bytes(8)), tags={}, apps=(),
)  # fmt: skip


def credential_of(db: Database) -> Credential:
    with db.writing() as conn:
        conn.execute(insert(projects), [{"id": PROJECT, "slug": "shop", "name": "S", "created": 0}])
        key = service.create_key(conn, RootKeys(SECRET), os.urandom, project_id=PROJECT, now_us=T0)
    key_id = parse_key_id(key.key_id)
    return Credential(*key_id, parse_secret(key_id, key.secret))


@contextmanager
def killed_brain(command: list[str]) -> Iterator[None]:
    """A brain that serves while the block runs and is killed at its end."""
    brain = subprocess.Popen(command)
    try:
        yield
    finally:
        brain.send_signal(signal.SIGKILL)
        brain.wait()


def kill_and_count(db: Database, url: str, cycles: int) -> None:
    port, spool = free_port(), Spool()
    sender = Sender(f"ws://127.0.0.1:{port}/api/agent/ws", credential_of(db), spool)
    command = [sys.executable, str(Path(__file__).with_name("brain_process.py")), url, str(port)]
    sender.start()
    try:
        for cycle in range(cycles):
            with killed_brain(command):
                spool.produce(PER_CYCLE)
                spool.wait_acked(spool.produced - PER_CYCLE + 100 + 613 * cycle % 2_500)
            check(db, spool.acked)
        with killed_brain(command):
            spool.wait_acked(spool.produced)
    finally:
        sender.stopped.set()
        sender.join(10)
    check(db, spool.produced)
    count_again(db, spool.produced)


def check(db: Database, at_least: int) -> None:
    """Nothing acknowledged is missing and every offset is accounted for."""
    with db.reading() as conn:
        found = conn.execute(select(streams.c.watermark, streams.c.stored, streams.c.lost)).first()
    watermark, stored, lost = found or (0, 0, 0)
    assert watermark >= at_least
    gone = watermark // 97
    assert (stored, lost) == (watermark - gone, 2 * gone)


def count_again(db: Database, produced: int) -> None:
    """Each fact was applied exactly once: tasks, attempts and rollups say the same."""
    facts = [offset for offset in range(1, produced + 1) if offset % 97]
    starts = sum(1 for offset in facts if offset % 3 == 1)
    ends = sum(1 for offset in facts if offset % 3 == 2)
    with db.reading() as conn:
        known = conn.execute(select(func.count()).select_from(tasks)).scalar()
        tried = conn.execute(select(func.count()).select_from(attempts)).scalar()
        started, succeeded = conn.execute(
            select(func.sum(rollup_minute.c.started), func.sum(rollup_minute.c.succeeded))
        ).one()
    assert known == len({offset // 3 for offset in facts})
    assert tried == len({offset // 3 for offset in facts if offset % 3})
    assert (started, succeeded) == (starts, ends)


def test_nothing_is_lost_or_doubled_when_the_brain_is_killed(db: Database) -> None:
    kill_and_count(db, db.engine.url.render_as_string(hide_password=False), cycles=3)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_nothing_is_lost_or_doubled_when_the_brain_is_killed_again_and_again(
    db: Database, record_property: Callable[[str, object], None]
) -> None:
    kill_and_count(db, db.engine.url.render_as_string(hide_password=False), cycles=CYCLES)
    kind = db.engine.dialect.name
    told = f"{kind}: {CYCLES} kills, {CYCLES * PER_CYCLE} offsets, 0 lost, 0 doubled"
    record_property("figures", told)
