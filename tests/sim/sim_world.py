"""One world: agents, network, brain, disk and clock. The rule: one seed decides everything.

In the safety phase anything may die at any step; what comes after it is in `sim_life`.
"""

from __future__ import annotations

import random
import shutil

from sim_agent import Agent, Killed
from sim_books import Books, pending
from sim_brain import Brain, Crash, Store, now
from sim_disk import Disk, in_pages, make_home, number_of, tear_slot
from z4j_core.spool import lost_body
from z4j_core.wire import RecordType, pack
from z4j_core.wire.bodies import Flow
from z4j_testing.clock import FakeClock

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


class World:
    """The world of one seed."""

    def __init__(self, seed, patch):
        self.chance = random.Random(seed)
        self.clock = FakeClock()
        self.store = store()
        self.store.empty()
        self.books = Books(self.store)
        self.agents, self.old_lines, self.orphans = [], [], []
        self.home = make_home()
        self.disk = Disk(self, patch)
        self.brain = Brain(self.store, self.clock, self.entropy)
        self.weights = [self.chance.random() ** 2 * weight for _, weight in OPS]
        self.by_hand = self.chance.choice((0.0, 0.5, 0.95))
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
        writers = [(agent, one) for agent in self.alive() for one in agent.writers]
        writers += [(None, one) for one in self.orphans]
        agent, one = self.chance.choice(writers)
        has_hand = agent is not None and one is agent.spool.writer and not control
        for _ in range(self.chance.randrange(1, 12)):
            self.clock.advance(0.001)
            at = self.books.produce(control=control)
            if one.shed and not control and self.chance.random() < 0.5:
                one.append(lost_body(SHED, 1))
                continue
            body = fact(at, self.chance.choice((3, 40, 150)))
            if not control and self.chance.random() < 0.02:
                body = pack([6, at, 1])
            if has_hand and self.chance.random() < self.by_hand:
                self.record(agent, body)
            else:
                (one.append_control if control else one.append)(body)

    def record(self, agent, body):
        """A hook of the owner states a fact, perhaps the start or the end of a run."""
        run = self.chance.choice((None, None, "a", "b"))
        held_back = agent.emitter.starting.get(run)
        if agent.record(body, run):
            del self.books.produced[number_of(held_back[1][2])]
            self.books.met["starts told by their ends"] += 1

    def produce_control(self):
        self.produce(control=True)

    def tick(self):
        self.clock.advance(self.chance.choice((0.05, 0.3, 0.3, 1.0)))
        for agent in self.alive():
            agent.settle()
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
        if not self.brain.waiting:
            return
        epochs = self.store.epochs()
        try:
            done = self.brain.commit(self.chance.randrange(1, 6), fate)
        except Crash:
            self.answer()  # whatever it dared to promise may have left
            self.kill_brain()
            done = []
        self.books.committed(done, epochs)

    def commit_crashing(self):
        self.up()
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
        self.kill(self.any_alive())

    def kill(self, agent):
        """SIGKILL of an owner; its children go on writing."""
        if agent.line is not None:
            self.old_lines.append(agent.line)
        self.books.met["killed with facts in hand"] += agent.holds > 0
        agent.kill()
        self.orphans += agent.writers

    def kill_settling(self):
        """An owner dies while it moves what is in hand into a segment."""
        agent = self.any_alive()
        agent.pen.fate = self.chance.choice(("before", "after"))
        try:
            agent.settle_all()
        except Killed:
            self.written_again(agent.pen.written)
            self.kill(agent)
        agent.pen.fate = ""

    def kill_holding(self):
        """An owner dies while a hook of it stores a fact in the page: nobody was told of it."""
        agent = self.any_alive()
        body = fact(self.chance.randrange(1 << 40, 1 << 41), 40)
        if agent.hand is not None:
            tear_slot(agent.hand, body, self.chance.randrange(30, len(body)))
        self.kill(agent)

    def kill_adopting(self):
        """An adopter dies while it appends what a dead owner had in hand."""
        agent, left, done = self.any_alive(), self.chance.randrange(3), []
        writer = agent.spool.writer
        append = writer.append

        def dying(body):
            if len(done) == left:
                raise Killed
            done.append(body)
            return append(body)

        writer.append = dying
        try:
            agent.adopt()
        except Killed:
            pages = in_pages(self.home)
            self.written_again([body for body in done if body in pages])
            self.kill(agent)
        writer.append = append

    def written_again(self, bodies):
        """These facts are in a segment and still in a page: whoever comes next tells them too."""
        self.books.again.update(number_of(body) for body in bodies)

    def stop_owner(self):
        agent = self.any_alive()
        self.cut_line(agent)
        agent.settle_all()
        agent.is_alive = False
        agent.spool.close(offline=True)
        self.books.unsaid += pending(agent.spool.writer)
        self.orphans += agent.writers[1:]

    def start_owner(self):
        if len(self.alive()) < 3:
            self.start()

    def adopt(self):
        self.any_alive().adopt()

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
        self.books.unsaid += pending(one)
        one.close()

    def hole(self):
        """A sender goes wrong and leaves an item out: the brain must not take what follows."""
        agent = self.any_alive()
        for sending in agent.sender._by_handle.values() if agent.sender else ():
            sending.sent += sending.is_open

    def evict(self):
        self.any_alive().spool.evict()

    def fill_disk(self):
        self.disk.is_full = self.chance.random() < 0.5
        for agent in self.alive():
            agent.spool.evict()

    def tear_writes(self):
        self.disk.short = 0.0 if self.disk.short else self.chance.choice((0.1, 0.3, 0.6))

    def watch_writes(self):
        self.disk.halves = 0.0 if self.disk.halves else 0.2

    def run(self, steps):
        ops = [op for op, _ in OPS]
        for op in self.chance.choices(ops, self.weights, k=steps):
            op(self)


W = World
OPS = [
    (W.produce, 9), (W.produce_control, 3), (W.tick, 8), (W.connect, 3), (W.up, 8), (W.down, 8),
    (W.commit, 8), (W.answer, 6), (W.commit_crashing, 3), (W.cut, 1), (W.drop_old, 0.5),
    (W.garble, 0.6), (W.slow_down, 0.6), (W.calm_down, 0.4), (W.kill_brain, 0.3),
    (W.kill_owner, 0.5), (W.stop_owner, 0.3), (W.start_owner, 1), (W.adopt, 1), (W.fork, 1),
    (W.kill_child, 0.8), (W.hole, 2), (W.evict, 1), (W.fill_disk, 0.5), (W.watch_writes, 0.5),
    (W.silence, 0.1), (W.tear_writes, 0.5), (W.kill_settling, 0.6), (W.kill_holding, 0.3),
    (W.kill_adopting, 0.6),
]  # fmt: skip
