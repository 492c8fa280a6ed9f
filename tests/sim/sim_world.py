"""One world: agents, network, brain, disk and clock. The rule: one seed decides everything.

After a safety phase, in which anything may die at any step, the world heals and drains; then each
fact that was produced is stored exactly once or reported lost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import tempfile

from sim_agent import DONE, EVENTS, Agent
from sim_brain import Brain, Crash, Store, now
from z4j_core.spool import bound, disk, lost_body, reader, writer
from z4j_core.wire import RecordType, pack
from z4j_core.wire.bodies import Flow
from z4j_testing.clock import FakeClock

ROTATE = 1_500
BOUNDS = (9_000, 4_000)
SHED = 5
_store: list[Store] = []


def store():
    """The one database of this test process."""
    if not _store:
        _store.append(Store())
    return _store[0]


def fact(at, size):
    """A NOTE, whose row tells how often it was applied."""
    return pack([6, at, 1, "Z4J-E101", [0, size, "x" * size]])


def pending(one):
    """How many facts this writer dropped and could not yet tell of."""
    return sum(loss.n for lane in (one._facts, one._control) for loss in lane._lost)


class World:
    """The world of one seed; `unsaid` counts what died with a process before it could be told."""

    def __init__(self, seed, patch):
        self.chance = random.Random(seed)
        self.clock = FakeClock()
        self.unsaid = 0
        self.produced = {}
        self.merged = 0
        self.torn = {}
        self.busy = 0
        self.is_full = False
        self.short = 0.0
        self.halves = 0.0
        self.store = store()
        self.store.empty()
        self.marks = {}
        self.agents, self.old_lines, self.orphans = [], [], []
        self.home = tempfile.mkdtemp()
        os.mkdir(os.path.join(self.home, "s"), 0o700)
        patch.setattr(disk, "ROTATE_BYTES", ROTATE)
        patch.setattr(writer, "ROTATE_BYTES", ROTATE)
        patch.setattr(writer, "_MOST_BYTES", 2 * ROTATE)
        patch.setattr(reader, "_BLOCK_BYTES", 400)
        patch.setattr(writer, "write", self._write)
        patch.setattr(bound.Bound, "_free_fraction", lambda _: 0.01 if self.is_full else 0.9)
        self.brain = Brain(self.store, self.clock, self.entropy)
        self.weights = [self.chance.random() ** 2 * weight for _, weight in OPS]
        self.start()

    def entropy(self, count):
        return self.chance.randbytes(count)

    def close(self):
        for agent in self.agents:
            if agent.is_alive:
                agent.kill()
        for one in self.orphans:
            one.close()
        shutil.rmtree(self.home, ignore_errors=True)

    # ------------------------------------------------------------ the disk
    def _write(self, fd, data):
        """A write that may be cut short, or be seen by a reader while it happens."""
        if os.fstat(fd).st_ino == self.busy:
            raise OSError(errno.ENOSPC, "appends are one after the other")
        if self.short and self.chance.random() < self.short and len(data) > 1:
            torn = self.torn.setdefault(os.fstat(fd).st_ino, set())
            self.merged += bool(torn) and fd not in torn
            torn.add(fd)
            return os.write(fd, data[: self.chance.randrange(1, len(data))])
        if self.torn:
            self.torn.pop(os.fstat(fd).st_ino, None)
        if self.halves and self.chance.random() < self.halves and len(data) > 1:
            cut = self.chance.randrange(1, len(data))
            os.write(fd, data[:cut])
            self.busy = os.fstat(fd).st_ino
            for agent in self.alive():
                if agent.sender is not None:
                    agent.sender.hurry()
                    self.clock.advance(0.2)
                    agent.step()
            self.busy = 0
            return cut + os.write(fd, data[cut:])
        return os.write(fd, data)

    # ------------------------------------------------------------ what is watched
    def sending(self, agent, record):
        """A record leaves an agent."""
        sender = agent.sender
        if record[1] == EVENTS:
            flight = sender._flying[-1]
            agent.sent.append(sender._by_handle[flight.handle].segment.cls)
            assert len(sender._flying) <= max(1, sender._credit), "more in flight than credit"
        if record[1] == DONE:
            for sending in sender._by_handle.values():
                if sending.segment.finished:
                    assert not os.path.exists(sending.segment.path), "DONE before unlink"

    def acked(self, agent, ack):
        """An agent hears that something is stored."""
        marks = self.store.marks()
        for handle, upto in ack.marks:
            sending = agent.sender._by_handle.get(handle)
            if sending is not None:
                one = sending.segment
                place = (one.stream.hex(), one.cls, one.segment_id.hex())
                assert marks[place][0] >= upto, "acknowledged and not stored"

    def check(self):
        """After a commit: nothing went back, nothing is there twice."""
        marks = self.store.marks()
        for place, (upto, epoch) in self.marks.items():
            assert marks[place][0] >= upto, "a watermark fell"
            assert marks[place][1] >= epoch, "an epoch fell"
        self.marks = marks
        stored, _ = self.store.told()
        assert max(stored.values(), default=1) == 1, "a fact was applied twice"

    # ------------------------------------------------------------ parts
    def alive(self):
        return [agent for agent in self.agents if agent.is_alive]

    def any_alive(self):
        return self.chance.choice(self.alive() or [self.start()])

    def lines(self):
        return [agent.line for agent in self.alive() if agent.line] + self.old_lines

    def start(self):
        agent = Agent(self, self.home, BOUNDS)
        self.agents.append(agent)
        return agent

    def produce(self, control=False):
        if len(self.alive()) == 0:
            self.start()
        writers = [one for agent in self.alive() for one in agent.writers] + self.orphans
        one = self.chance.choice(writers)
        for _ in range(self.chance.randrange(1, 12)):
            self.clock.advance(0.001)
            at = len(self.produced) + 1
            self.produced[at] = control
            if one.shed and not control and self.chance.random() < 0.5:
                one.append(lost_body(SHED, 1))
                continue
            size = self.chance.choice((3, 40, 150))
            body = fact(at, size)
            if not control and self.chance.random() < 0.02:
                body = pack([6, at, 1])
            (one.append_control if control else one.append)(body)

    def produce_control(self):
        self.produce(control=True)

    def tick(self):
        self.clock.advance(self.chance.choice((0.05, 0.3, 0.3, 1.0)))
        for agent in self.alive():
            if agent.sender is not None:
                agent.step()

    def silence(self):
        self.clock.advance(31.0)

    def connect(self):
        agent = self.any_alive()
        self.cut_line(agent)
        agent.connect(self.brain)

    def cut_line(self, agent):
        if agent.line is not None:
            self.old_lines.append(agent.line)
            agent.disconnect()

    def cut(self):
        self.cut_line(self.any_alive())

    def drop_old(self):
        """What was under way on dead connections is gone."""
        self.old_lines.clear()

    def up(self):
        lines = [line for line in self.lines() if line.up]
        if lines:
            line = self.chance.choice(lines)
            for _ in range(self.chance.randrange(1, 4)):
                if line.up and line.brain is self.brain and not line.server.closed.is_set():
                    self.brain.receive(line.server, line.up.popleft())

    def garble(self):
        """A record is lost, doubled, flipped or overtaken inside a session."""
        lines = [line for line in self.lines() if line.up]
        if not lines:
            return
        queue, kind = self.chance.choice(lines).up, self.chance.randrange(4)
        if kind == 0:
            queue.popleft()
        elif kind == 1:
            queue.appendleft(queue[0])
        elif kind == 2:
            flipped = bytearray(queue[0])
            flipped[self.chance.randrange(len(flipped))] ^= 1 << self.chance.randrange(8)
            queue[0] = bytes(flipped)
        else:
            queue.rotate(1)

    def down(self):
        agents = [agent for agent in self.alive() if agent.line and agent.line.down]
        if agents:
            agent = self.chance.choice(agents)
            line = agent.line
            agent.receive()
            if agent.line is None:
                self.old_lines.append(line)

    def commit(self, fate=""):
        epochs = self.store.epochs()
        try:
            done = self.brain.commit(self.chance.randrange(1, 6), fate)
        except Crash:
            self.kill_brain()
            done = []
        for batch, outcome in done:
            if outcome.code == 0:
                assert batch.epoch >= epochs[batch.stream], "a zombie was believed"
        self.check()

    def commit_crashing(self):
        if self.brain.waiting:
            self.commit(self.chance.choice(("before", "after", "error")))

    def answer(self):
        for line in self.lines():
            if line.brain is self.brain and line.server.owes:
                line.server.answer()

    def slow_down(self):
        lines = [line for line in self.lines() if line.brain is self.brain]
        if lines:
            flow = Flow(self.chance.choice((1, 2, 8)), self.chance.choice((0, 500)), 1)
            now(self.chance.choice(lines).server.send(RecordType.FLOW, flow))

    def calm_down(self):
        for agent in self.alive():
            agent.spool.advise(0)

    def kill_brain(self):
        self.brain = Brain(self.store, self.clock, self.entropy)
        for line in self.lines():
            line.up.clear()
            line.down.append(None)

    def kill_owner(self):
        agent = self.any_alive()
        if agent.line is not None:
            self.old_lines.append(agent.line)
        agent.kill()
        self.orphans += agent.writers

    def stop_owner(self):
        agent = self.any_alive()
        self.cut_line(agent)
        agent.is_alive = False
        agent.spool.close(offline=True)
        self.unsaid += pending(agent.spool.writer)
        self.orphans += agent.writers[1:]

    def start_owner(self):
        if len(self.alive()) < 3:
            self.start()

    def adopt(self):
        self.any_alive().spool.adopt()

    def fork(self):
        if len(self.orphans) < 4:
            self.any_alive().child()

    def kill_child(self):
        children = [(agent, one) for agent in self.alive() for one in agent.writers[1:]]
        children += [(None, one) for one in self.orphans]
        if children:
            agent, one = self.chance.choice(children)
            (self.orphans if agent is None else agent.writers).remove(one)
            self.die(one)

    def die(self, one):
        """SIGKILL of the process of this writer: its counts die with it."""
        self.unsaid += pending(one)
        one.close()

    def hole(self):
        """A sender goes wrong and leaves an item out: the brain must not take what follows."""
        agent = self.any_alive()
        for sending in agent.sender._by_handle.values() if agent.sender else ():
            sending.sent += sending.is_open

    def evict(self):
        self.any_alive().spool.evict()

    def fill_disk(self):
        self.is_full = self.chance.random() < 0.5
        self.short = 0.3 if self.is_full else 0.0
        for agent in self.alive():
            agent.spool.evict()

    def watch_writes(self):
        self.halves = 0.0 if self.halves else 0.2

    # ------------------------------------------------------------ phases
    def run(self, steps):
        ops = [op for op, _ in OPS]
        for op in self.chance.choices(ops, self.weights, k=steps):
            op(self)

    def heal(self):
        """Let everything that lives go on undisturbed until nothing is left to say."""
        self.is_full, self.short, self.halves = False, 0.0, 0.0
        for one in self.orphans:
            self.die(one)
        self.orphans.clear()
        for agent in self.alive():
            self.cut_line(agent)
        for agent in self.alive()[1:]:
            self.cut_line(agent)
            agent.kill()
            for one in agent.writers:
                self.die(one)
        last = self.any_alive()
        for one in last.writers[1:]:
            self.die(one)
        self._drain(last)
        for control in (False, True):
            self._last_word(last.spool.writer, control=control)
        self._drain(last)

    def _drain(self, last):
        for _ in range(400):
            last.spool.evict()
            last.spool.adopt()
            if self._drained(last):
                return
            if last.line is None:
                last.connect(self.brain)
            self.tick()
            while self.lines_busy():
                self.up_all()
                self.answer()
            while last.line and last.line.down:
                last.receive()
        raise AssertionError("it never drains")

    def _last_word(self, one, *, control):
        """A whole frame, behind which a torn one is no longer late."""
        self.clock.advance(1.0)
        at = len(self.produced) + 1
        self.produced[at] = control
        assert (one.append_control if control else one.append)(fact(at, 3)), "the disk has room"

    def _drained(self, last):
        return last.sender is not None and last.sender.is_drained and len(last.spool._streams) == 1

    def lines_busy(self):
        return any(
            line.brain is self.brain
            and ((line.up and not line.server.closed.is_set()) or line.server.owes)
            for line in self.lines()
        ) or bool(self.brain.waiting)

    def up_all(self):
        for line in self.lines():
            while line.up and line.brain is self.brain and not line.server.closed.is_set():
                self.brain.receive(line.server, line.up.popleft())
        while self.brain.waiting:
            self.commit()

    def account(self):
        """Stored + reported lost = produced."""
        stored, lost = self.store.told()
        assert set(stored) <= set(self.produced), "something was invented"
        missing = len(self.produced) - len(stored)
        told = f"{missing} missing, {lost} told, {self.unsaid} died, {self.merged} merged"
        # Torn writes of two processes side by side are one torn region to a reader.
        assert 0 <= missing - lost - self.unsaid <= self.merged, told


W = World
OPS = [
    (W.produce, 9), (W.produce_control, 3), (W.tick, 8), (W.connect, 3), (W.up, 8), (W.down, 8),
    (W.commit, 8), (W.answer, 6), (W.commit_crashing, 0.7), (W.cut, 1), (W.drop_old, 0.5),
    (W.garble, 0.6), (W.slow_down, 0.6), (W.calm_down, 0.4), (W.kill_brain, 0.3),
    (W.kill_owner, 0.5), (W.stop_owner, 0.3), (W.start_owner, 1), (W.adopt, 1), (W.fork, 1),
    (W.kill_child, 0.8), (W.hole, 0.8), (W.evict, 1), (W.fill_disk, 0.5), (W.watch_writes, 0.3),
    (W.silence, 0.1),
]  # fmt: skip


def live(seed, patch, steps=120):
    """One whole life of a world; raises AssertionError where a promise is broken."""
    world = World(seed, patch)
    try:
        world.run(steps)
        world.heal()
        world.account()
        return len(world.produced)
    finally:
        with contextlib.suppress(OSError):
            world.close()
