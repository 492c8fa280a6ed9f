"""A world of three processes, one store, one broker and one brain. The rule: a seed decides all.

There is one thread. While a process waits in a call, the others go on inside of that call, so that
every order of steps can happen; the process may die there, or be stopped for longer than its lease.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter

from model_store import Books
from sched_brain import CATCHUP_MAX, Brain
from sched_broker import Broker
from sched_node import TTL_MS, Crash, Node
from sched_promises import (
    BOUNDED,
    CLAIMED_BY_HOLDER,
    EPOCHS_RISE,
    LEADS,
    NO_OLDER,
    NOT_EARLY,
    ONE_ID,
    holds,
)
from z4j_core.scheduler.leader import Status, Why

START_MS = 1_893_456_000_000
DEEP = 2
DRIFT_MS = 50
SOON_MS = 30_000
"""How early a fire may be while a store's clock that went back was not read yet."""


class World:
    """Everything there is."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.seed = seed
        self.now_ms = START_MS
        self.skew_ms = 0
        self.newest_ms = START_MS
        self.met = Counter()
        self.facts, self.placed = [], []
        self.schedule_of, self.fired_as, self.newest_of = {}, {}, {}
        self.caught, self.claimed_in = {}, {}
        self.jumped = self.flushed = False
        self._events, self._number, self._deep = [], 0, 0
        self.is_wild = True
        weights = {"crash": 0.004, "stop": 0.004, "slow": 0.02, "lost": 0.01, "unknown": 0.03}
        weights |= {"redelivered": 0.05, "stop_in_place": 0.01}
        self.weights = {k: w * self.rng.choice((0, 1, 1, 3)) for k, w in weights.items()}
        self.epochs = {}
        kind = self.rng.random()
        self.may_jump, self.may_flush = kind < 0.25, kind > 0.75
        """Not both: the epoch after a flush is the store's time, which must not go back then."""
        self.books = Books(self.store_ms, self.led, self.claimed)
        self.brain = Brain(self)
        self.broker = Broker(self)
        self.nodes = [Node(self, number) for number in range(3)]
        for node in self.nodes:
            node.receive(self.brain.snapshot())
        self.later(self.rng.randrange(8_000), self.trouble)

    # ---- time
    def store_ms(self):
        """The clock of the store, and of the brain."""
        found = int(self.now_ms + self.skew_ms)
        self.newest_ms = max(self.newest_ms, found)
        return found

    def later(self, ms, work):
        """Something happens in so many milliseconds."""
        self._number += 1
        heapq.heappush(self._events, (self.now_ms + ms, self._number, work))

    def run(self, ms):
        """Let time pass."""
        until = self.now_ms + ms
        while True:
            node = min(
                (n for n in self.nodes if n.next_ms() is not None),
                key=lambda n: n.next_ms(),
                default=None,
            )
            at = self._events[0][0] if self._events else None
            if node is not None and (at is None or node.next_ms() <= at):
                if node.next_ms() > until:
                    break
                self.now_ms = max(self.now_ms, node.next_ms())
                self.met["steps"] += 1
                node.act()
            elif at is not None and at <= until:
                self.now_ms = max(self.now_ms, at)
                heapq.heappop(self._events)[2]()
            else:
                break
        self.now_ms = max(self.now_ms, until)

    def pass_ms(self, node, ms):
        """A process waits in a call: the others go on."""
        if self._deep >= DEEP:
            self.now_ms += ms
            return
        self._deep += 1
        leader = node.leader
        try:
            self.run(ms)
        finally:
            self._deep -= 1
        if node.leader is not leader:
            raise Crash

    def happens(self, node, stop="stop"):
        """A point at which anything may happen to a process."""
        if not self.is_wild:
            self.now_ms += 1
            return
        if self.chance("crash"):
            raise Crash
        if self.chance(stop):
            self.met["stops"] += 1
            self.pass_ms(node, self.rng.choice((3_000, 16_000, 40_000)))
        elif self.chance("slow"):
            self.pass_ms(node, self.rng.choice((20, 400, 1_400, 9_000)))
        else:
            self.now_ms += 1

    def chance(self, what):
        """Whether something goes wrong now."""
        return self.is_wild and self.rng.random() < self.weights[what]

    # ---- what goes wrong by itself
    def trouble(self):
        """One of the things that happen to systems."""
        if not self.is_wild:
            return
        rng, node = self.rng, self.rng.choice(self.nodes)
        what = rng.choice(
            ("edit", "edit", "edit", "edit", "cut", "kill", "wall", "broker", "store", "clock",
             "flush", "night", "stop")
        )  # fmt: skip
        self.met[what] += 1
        getattr(self, f"_{what}")(node)
        wait = rng.randrange(200, 8_000)
        if rng.random() < 0.5:
            wait = 5_000 - (self.now_ms + self.skew_ms) % 5_000 + rng.randrange(-20, 60)
        self.later(max(wait, 1), self.trouble)

    def _edit(self, _node):
        self.brain.edit()
        for node in self.nodes:
            wait = self.rng.choice((5, 100, 2_000, 30_000))
            self.later(wait, lambda node=node: node.receive(self.brain.snapshot()))

    def _cut(self, node):
        node.is_cut = True
        self.later(self.rng.choice((2_000, 8_000, 25_000)), lambda: setattr(node, "is_cut", False))

    def _kill(self, node):
        if node.leader is not None:
            node.leader, node.wake_ms, node.renew_ms = None, None, None
            self.later(self.rng.choice((100, 5_000)), node.start)

    def _stop(self, node):
        if node.leader is not None and not node.is_stepping and node.leader.is_leading:
            node.hand_over()

    def _wall(self, node):
        node.wall_off_ms = self.rng.choice((0, 0, 3_600_000, -20_000))

    def _broker(self, _node):
        self.broker.is_down = True
        self.later(self.rng.choice((500, 4_000, 30_000)), self._broker_up)

    def _broker_up(self):
        self.broker.is_down = False

    def _store(self, _node):
        for node in self.nodes:
            self._cut(node)

    def _clock(self, _node):
        if self.may_jump:
            self.skew_ms += self.rng.choice((-8_000, 30_000))
            self.jumped = True

    def _flush(self, _node):
        if self.may_flush:
            self.books.flush()
            self.flushed = True

    def _night(self, _node):
        if self.rng.random() < 0.3:
            for node in self.nodes:
                self._kill(node)
            self.now_ms += 600_000

    def wake_others(self, one):
        """The lease is free."""
        for node in self.nodes:
            if node is not one and node.leader is not None:
                node.wake_ms = self.now_ms

    # ---- what is watched
    def hear(self, node, fact):
        """A line of the ledger; it outlives its process."""
        self.facts.append(fact)
        self.schedule_of[fact.fire_id] = fact.schedule
        epoch = node.leader.tenure.epoch
        own = self.claimed_in.get(fact.fire_id) == epoch  # not one that is taken over
        if own and fact.status is Status.CLAIMED and fact.trigger is Why.CATCHUP:
            caught = self.caught.setdefault((fact.schedule, epoch), [])
            caught[:] = [at for at in caught if self.now_ms - at < 10_000] + [self.now_ms]
            holds(BOUNDED, len(caught) <= CATCHUP_MAX + 1, f"{len(caught)} in ten seconds")

    def refresh(self, node):
        """A process asks the brain how far all has come."""
        self.met["asked"] += 1
        wait = self.rng.choice((5, 100, 2_000, 30_000))
        self.later(wait, lambda: node.receive(self.brain.whole()))

    def place(self, job, enq):
        """A message is in the broker."""
        fact = next(f for f in reversed(self.facts) if f.fire_id == job.id)
        key = (fact.schedule, fact.slot_ms)
        self.placed.append((job.id, key, enq))
        early = fact.slot_ms - max(self.newest_ms, self.store_ms())
        holds(NOT_EARLY, early <= (SOON_MS if self.jumped else DRIFT_MS), f"{early} ms")
        if self.flushed:
            return
        first = self.fired_as.setdefault(key, job.id)
        holds(ONE_ID, first == job.id, f"slot {key[1]} of {key[0][-2:]}")

    def claimed(self, lease, fire):
        """A claim was written."""
        self.claimed_in[fire.fire_id] = lease.epoch
        newest = self.newest_of.get(fire.schedule, (0, 0))
        if not self.flushed:
            holds(NO_OLDER, fire.generation >= newest[0], f"{fire.generation} after {newest[0]}")
        self.newest_of[fire.schedule] = max(newest, (fire.generation, fire.slot_ms))
        held = self.books.owner == lease.owner and self.books.epoch == lease.epoch
        holds(CLAIMED_BY_HOLDER, held and self.books.expires_ms > self.store_ms(), lease.owner)

    def led(self, owner, epoch):
        """Somebody holds the lease."""
        newest = max(self.epochs, default=0)
        holds(EPOCHS_RISE, epoch >= newest, f"{epoch} after {newest}")
        holds(EPOCHS_RISE, self.epochs.setdefault(epoch, owner) == owner, f"{epoch} of two")

    # ---- a whole life
    def live(self, ms=90_000):
        """Trouble, then peace, then the books are closed."""
        self.run(ms)
        self.is_wild = False
        self.broker.is_down = False
        self._events = [e for e in self._events if e[2] != self.trouble]
        heapq.heapify(self._events)
        for node in self.nodes:
            node.is_cut, node.wall_off_ms = False, 0
            if node.leader is None:
                node.start()
            node.receive(self.brain.snapshot())
        self.run(2 * TTL_MS + 1_000)
        holds(LEADS, sum(n.leader is not None and n.leader.is_leading for n in self.nodes) >= 1)
        quiet = self.store_ms()
        self.run(70_000)
        holds(LEADS, self.books.expires_ms > self.store_ms(), "nobody holds the lease")
        self.brain.account(quiet)
        return self
