"""The agents of the simulator: real spool, sender and session; the socket is a queue.

The rule: what a step does to one process is done by its own code; killing one closes nothing well.
"""

from __future__ import annotations

import contextlib
from collections import deque
from types import SimpleNamespace

from z4j_core.agent.boundary import Emitter
from z4j_core.agent.process import RECEIPT_HOLD_S, START_HOLD_S
from z4j_core.agent.sender import Batches, Sender
from z4j_core.errors import WireError
from z4j_core.spool import SpoolSettings, disk
from z4j_core.spool.roots import Root
from z4j_core.wire import AgentSession, RecordType
from z4j_core.wire.bodies import Ack, Close, Flow, Welcome
from z4j_testing.wire import CREDENTIAL, REGISTER, URL

META = {"host": "h", "role": "worker"}


class Line:
    """One connection: records under way in both directions, each in order."""

    def __init__(self):
        self.up, self.down = deque(), deque()
        self.server = self.wire = None
        self.is_cut = False


class Killed(BaseException):
    """SIGKILL, in the middle of what the process was doing."""


class Pen:
    """The writer of an agent; `fate`: "", or "before" or "after" what the process dies of it."""

    def __init__(self, writer):
        self.writer = writer
        self.fate = ""
        self.written = []

    def append_all(self, bodies):
        fate, self.fate = self.fate, ""
        if fate == "before":
            raise Killed
        self.writer.append_all(bodies)
        if fate == "after":
            self.written = bodies
            raise Killed


class Agent:
    """One long-lived process and the children that write to its stream."""

    def __init__(self, world, home, bounds):
        self.world = world
        settings = SpoolSettings(home, "o", "demo", bytes(16), *bounds)
        root = Root(home, "shm", "", is_small=False)
        self.spool = disk.open_disk(root, home, settings, META, world.clock, world.entropy)
        self.writers = [self.spool.writer]
        self.batches = Batches()
        self.hand = self.spool.hand
        self.pen = Pen(self.spool.writer)
        self.emitter = _emitter(self.pen)
        self.line = self.sender = None
        self.sent = []
        self.is_alive = True
        self.is_at_work = False

    @contextlib.contextmanager
    def at_work(self):
        """What is inside is done by the agent's thread: it can do nothing else meanwhile."""
        was, self.is_at_work = self.is_at_work, True
        try:
            yield
        finally:
            self.is_at_work = was

    def child(self):
        """A writer of a spawned child, which lives on when its owner dies."""
        path, bound = self.spool.path, self.spool._bound
        stream = self.spool.stream
        made = disk._writer(path, stream, META, bound, self.world.clock, self.world.entropy)
        self.writers.append(made)
        return made

    def record(self, body, run=None):
        """What a hook does with a fact: into the page (a start of `run` for a while) or on.

        Where the end of a run overtakes its start, the start is given up; True then.
        """
        hand, emitter = self.hand, self.emitter
        is_start = run is not None and run not in emitter.starting
        if hand is None or (slot := hand.hold(body)) is None:
            self.spool.writer.append(body)
        elif is_start:
            emitter._hold_back(run, (self.world.clock.monotonic(), (hand, slot, body)))
            return False
        else:
            emitter.in_hand.append((hand, slot, body))
        start = emitter.starting.pop(run, None)
        if start is not None:
            start[1][0].drop(start[1][1])
        return start is not None

    @property
    def holds(self):
        """How many slots of its page are in use."""
        return len(self.emitter.in_hand) + len(self.emitter.starting)

    def settle(self):
        """The agent's thread moves into a segment what is in hand and due."""
        now = self.world.clock.monotonic()
        with self.at_work():
            self.emitter.settle(now - START_HOLD_S, now - RECEIPT_HOLD_S)

    def settle_all(self):
        """It moves all that is in hand."""
        with self.at_work():
            self.emitter.settle()

    def adopt(self):
        """It takes over what dead owners left."""
        with self.at_work():
            self.spool.adopt()

    def connect(self, brain):
        """Shake hands; from REGISTER on everything travels as slowly as the world likes."""
        self.line = line = Line()
        line.brain = brain
        wire = AgentSession(
            CREDENTIAL, url=URL, project="demo", nonce=self.world.entropy(32), now=0.0
        )
        line.wire = brain.session()
        line.wire.receive_hello(wire.hello())
        wire.receive_challenge(line.wire.challenge(CREDENTIAL.secret))
        register = REGISTER.__class__(
            **{**_fields(REGISTER), "stream": self.spool.stream, "epoch": self.spool.epoch}
        )
        received = line.wire.receive(wire.register(register), 0.0)
        line.server = brain.welcome(line.wire, received.body, line.down.append)
        first = line.down.popleft()
        assert isinstance(wire.receive(first, 0.0).body, Welcome)
        self.wire = wire
        self.sender = Sender(wire, self.spool, self._send, self.batches, self.world.clock)

    def _send(self, record):
        self.world.books.sending(self, record)
        self.line.up.append(record)

    def step(self):
        """One look at the spool; the order in which classes left is checked."""
        self._sending(self.sender.step)

    def receive(self):
        """Take one record of the brain."""
        data = self.line.down.popleft()
        if data is None:
            self.disconnect()
            return
        try:
            body = self.wire.receive(data, 0.0).body
        except WireError:
            self.disconnect()
            return
        if isinstance(body, Ack):
            self.world.books.acked(self, body)
            self._sending(lambda: self.sender.acknowledged(body))
        elif isinstance(body, Flow):
            self.sender.flow(body)
        elif isinstance(body, Close):
            if body.code in (4400, 4413):
                self.sender.blamed()
            self.disconnect()

    def _sending(self, work):
        self.sent = []
        try:
            with self.at_work():
                work()
        except WireError:
            self.disconnect()
            return
        self.world.books.sent(self)

    def disconnect(self):
        """This end is gone; what is under way may still arrive."""
        if self.line is not None:
            self.line.is_cut = True
        self.line = self.sender = None

    def kill(self):
        """SIGKILL of the owner; its children go on writing."""
        self.disconnect()
        self.is_alive = False
        for files in self.spool._streams:
            files.owned.release()
        self.world.die(self.writers.pop(0))


def _emitter(pen):
    """The boundary as the agent's thread sees it, without an engine."""
    made = Emitter.__new__(Emitter)
    made.awaited, made.starting, made.in_hand = {}, {}, deque()
    made._process = SimpleNamespace(writer=pen)
    return made


def _fields(body):
    return {name: getattr(body, name) for name in type(body).__dataclass_fields__}


EVENTS, DONE = int(RecordType.EVENTS), int(RecordType.DONE)
