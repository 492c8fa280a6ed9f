"""A broker and its workers. The rule: a worker asks the guard before it runs anything."""

from __future__ import annotations

from model_store import may_start
from sched_promises import REDELIVERED, RUNS_ONCE, holds
from z4j_core.invoke import Outcome
from z4j_core.scheduler.leader import Found
from z4j_core.scheduler.lease import RunOf


class Broker:
    """Messages, runs and their ends; direct, for the network to workers is not what is tested."""

    def __init__(self, world):
        self.world = world
        self.is_down = False
        self.can_tell = world.rng.random() < 0.5
        self.messages = {}
        self.copies = 0
        self.running = set()
        self.ended = set()
        self.ran = {}

    def take(self, job, enq):
        """An enqueue arrives, or not."""
        world, rng = self.world, self.world.rng
        if self.is_down:
            return Outcome(code="engine.unavailable", detail="down")
        unknown = world.chance("unknown")
        if unknown and rng.random() < 0.5:
            return Outcome(code="engine.indeterminate")
        world.place(job, enq)
        self.messages[job.id] = job
        copy, self.copies = self.copies, self.copies + 1
        wait = rng.choice((10, 100, 3_000, 30_000))
        world.later(wait, lambda: self.deliver(job.id, enq, copy, again=False))
        return Outcome(code="engine.indeterminate") if unknown else Outcome(value=job.id)

    def deliver(self, fire_id, enq, copy, *, again):
        """A worker gets a message, a copy of its own or one that it had before."""
        world = self.world
        started = may_start(world.books.guard, fire_id, enq)
        if again:
            holds(REDELIVERED, started or world.flushed, fire_id[:8])
        if not started:
            world.met["suppressed"] += 1
            return
        ran = self.ran.setdefault(fire_id, set())
        ran.add(copy)
        holds(RUNS_ONCE, len(ran) == 1 or world.flushed, f"{fire_id[:8]} as {sorted(ran)}")
        schedule = world.schedule_of[fire_id]
        runs = world.books.runs.setdefault(schedule, {})
        now = world.books.now_ms()
        since = runs[fire_id].since_ms if fire_id in runs else now
        runs[fire_id] = RunOf(fire_id, since, now + 3_600_000, started=True)
        self.running.add(fire_id)
        if world.chance("redelivered"):
            world.later(2_000, lambda: self.deliver(fire_id, enq, copy, again=True))
        else:
            world.later(world.rng.choice((50, 2_000, 12_000)), lambda: self.end(fire_id))

    def end(self, fire_id):
        """A run ends."""
        self.running.discard(fire_id)
        self.ended.add(fire_id)
        world = self.world
        schedule = world.schedule_of[fire_id]
        world.books.runs.get(schedule, {}).pop(fire_id, None)
        world.books.ended.add(fire_id)
        for node in world.nodes:
            if node.leader is not None and world.rng.random() < 0.5:
                node.leader.ended.add(schedule)
                node.wake_ms = world.now_ms

    def cancel(self, fire_id):
        """A run is ended from outside."""
        if fire_id in self.running:
            self.world.later(300, lambda: self.end(fire_id))

    def knows(self, fire_id):
        """What it can tell of a fire."""
        if not self.can_tell:
            return Found.UNKNOWN
        if fire_id in self.ended:
            return Found.ENDED
        return Found.ALIVE if fire_id in self.messages else Found.ABSENT
