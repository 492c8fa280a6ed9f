"""The brain of the simulator: real sessions, gateway frames, ingest and SQLite, without sockets.

The rule: every step is one call; a crash happens at a commit, before it or right after it.
"""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

from sim_promises import IN_CREDIT, holds
from sqlalchemy import create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool
from z4j_brain.gateway.connection import Connection, Identity
from z4j_brain.gateway.frames import Ended, Frames
from z4j_brain.ingest import loop as ingest_loop
from z4j_brain.migrations.tables import METADATA
from z4j_core.errors import WireError
from z4j_core.wire import BrainSession, RecordType
from z4j_testing.wire import WELCOME

PROJECT = "0" * 31 + "1"


class Crash(BaseException):
    """A part of the world died here."""


def now(work):
    """What a coroutine returns that at most gives way, and never waits."""
    try:
        for _ in range(3):
            work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


class Store:
    """A database in memory; `fate` decides about each commit: "", "before", "after" or "error"."""

    is_sqlite = True

    def __init__(self):
        self.engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )

        @event.listens_for(self.engine, "connect")
        def prepare(raw, _record):
            raw.isolation_level = None
            self._raw = raw

        @event.listens_for(self.engine, "begin")
        def begin(conn):
            conn.exec_driver_sql("BEGIN")

        METADATA.create_all(self.engine)
        self.fate = ""

    def empty(self):
        for table in TOUCHED:
            self._raw.execute(f"delete from {table}")
        self.fate = ""

    async def write(self, fn, *args):
        fate, self.fate = self.fate, ""
        if fate == "error":
            raise OperationalError("insert", {}, ValueError("the disk of the database is full"))
        with self.engine.begin() as conn:
            result = fn(conn, *args)
            if fate == "before":
                raise Crash
        if fate == "after":
            raise Crash
        return result

    async def read(self, fn, *args):
        with self.engine.begin() as conn:
            return fn(conn, *args)

    def marks(self):
        found = self._raw.execute("select stream, cls, segment, watermark, epoch from streams")
        return {row[:3]: row[3:] for row in found}

    def epochs(self):
        return dict(self._raw.execute("select stream, epoch from stream_owners"))

    def told(self):
        """How often each produced fact is stored, and how many facts are reported lost."""
        counted = self._raw.execute("select at, count(*) from notes group by at")
        lost = self._raw.execute("select coalesce(sum(lost), 0) from streams")
        return dict(counted), int(lost.fetchone()[0])


TOUCHED = ("streams", "stream_owners", "notes", "quarantine", "lost_facts")


class Answer:
    """What ingest answers a batch with, without an event loop."""

    def __init__(self):
        self.outcome = None
        self._heard = []

    def add_done_callback(self, hear):
        self._heard.append(hear)

    def done(self):
        return self.outcome is not None

    def cancelled(self):
        return False

    def result(self):
        return self.outcome

    def set_result(self, outcome):
        self.outcome = outcome
        for hear in self._heard:
            hear(self)


class Server(Connection):
    """The brain's end of one session; acknowledgements leave when the world says so."""

    def __init__(self, *args):
        super().__init__(*args)
        self.granted = 8

    def ack(self, handle, upto):
        self._acks[handle] = upto
        self.unacked -= 1

    @property
    def owes(self):
        return bool(self._acks)

    def answer(self):
        now(self._send_acks())


class Brain:
    """One brain process over the store. `kill` loses all it holds in memory."""

    def __init__(self, store, clock, entropy):
        self.store, self.clock, self.entropy = store, clock, entropy
        self.waiting = deque()
        self.refused = []
        self.ingest = ingest_loop.Ingest(store, clock.wall_us)
        core = SimpleNamespace(
            clock=clock,
            db=store,
            ingest=SimpleNamespace(submit=self._submit, backlog=0),
        )
        presence = SimpleNamespace(
            aged=lambda *_: None, adopted=_nothing, spawn=now, beat=lambda *_: None
        )
        replication = SimpleNamespace(told=lambda _: None)
        nothing = SimpleNamespace()
        self.frames = Frames(core, presence, nothing, replication, nothing, nothing)

    def _submit(self, batch):
        answer = Answer()
        self.waiting.append((batch, answer))
        return answer

    def session(self):
        return BrainSession(brain_id=b"\xb0" * 16, nonce=self.entropy(32), now=0.0)

    def welcome(self, wire, register, send):
        """The connection of a session whose REGISTER is in, with WELCOME on its way."""

        async def say(data):
            send(data)

        async def close(code=1000, reason=None):
            send(None)

        socket = SimpleNamespace(send_bytes=say, close=close)
        who = Identity(PROJECT, "demo", "c" * 32, 1, "s" * 32, "")
        server = Server(socket, wire, who, register, 0.0)
        now(server.send(RecordType.WELCOME, WELCOME))
        return server

    def receive(self, server, data):
        """One message of an agent; whatever is wrong ends that session."""
        try:
            received = server.wire.receive(data, 0.0)
            if received.type == RecordType.EVENTS:
                holds(IN_CREDIT, server.unacked < server.granted, "more than was given")
            now(self.frames.carry_out(server, received))
        except (WireError, Ended) as error:
            code = getattr(error, "close_code", None) or getattr(error, "code", 0)
            self.refused.append(code)
            now(server.close(code or 1000, str(error)[:100]))
            return False
        return True

    def commit(self, count, fate=""):
        """Ingest up to `count` waiting batches in one transaction."""
        taken = [self.waiting.popleft() for _ in range(min(count, len(self.waiting)))]
        self.store.fate = fate
        now(self.ingest._commit(taken))
        return [(batch, answer.outcome) for batch, answer in taken]


async def _nothing(*_args):
    """Hear of an adoption."""
