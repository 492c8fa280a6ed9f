"""A process that leads or stands by, in a world. The rule: every call may be the last one."""

from __future__ import annotations

from model_store import ModelStore
from sched_promises import BELIEVED, DECIDES, FENCED, Broken, holds
from z4j_core.errors import LeaseLost, StoreUnavailable
from z4j_core.scheduler.leader import Settings
from z4j_core.scheduler.leader.leader import Leader

TTL_MS = 15_000


class Crash(BaseException):
    """The process dies here."""


class Node:
    """One process; it is its own clock and its own host."""

    def __init__(self, world, number):
        self.world = world
        self.number = number
        self.rate = 1 + world.rng.uniform(-2e-4, 2e-4)
        self.wall_off_ms = 0
        self.is_cut = False
        self.held = None
        self.starts = 0
        self.leader = None
        self.start()

    def start(self):
        """A new process on this host, where there is none."""
        if self.leader is not None:
            return
        self.starts += 1
        self.is_stepping = self.is_renewing = False
        store = ModelStore(self.world.books, self.boottime, self.call)
        settings = Settings(f"{self.number}.{self.starts}", "fp", TTL_MS)
        self.leader = Leader(store, self, self, settings, entropy=self.entropy)
        self.store = store
        self.wake_ms = self.world.now_ms
        self.renew_ms = None

    # ---- a clock
    def boottime(self):
        return (self.world.now_ms * self.rate) / 1000 + self.number

    def monotonic(self):
        return self.boottime()

    def wall_us(self):
        return int(self.world.store_ms() + self.wall_off_ms) * 1000

    def entropy(self, size):
        return self.world.rng.randbytes(size)

    # ---- a way to the store
    def call(self, name, work):
        world = self.world
        if self.is_cut:
            world.pass_ms(self, 1_000)
            raise StoreUnavailable("cut")
        world.happens(self)
        if world.chance("lost"):
            raise StoreUnavailable("the request was lost")
        found = work()
        world.happens(self)
        if world.chance("lost"):
            raise StoreUnavailable("the answer was lost")
        if name == "release":
            world.wake_others(self)
        return found

    # ---- a host
    def snapshot(self):
        return self.held

    def place(self, job, enq, deadline_s):
        world = self.world
        lease = self.leader.tenure.lease
        held = lease is not None and self.boottime() < lease.deadline
        books = world.books
        if held and not (world.jumped or world.flushed):
            held = books.epoch == lease.epoch and books.expires_ms > world.store_ms()
        holds(FENCED, held, f"node {self.number} places {job.id[:8]} at {world.now_ms}")
        world.happens(self, "stop_in_place")
        outcome = world.broker.take(job, enq)
        world.happens(self, "stop_in_place")
        return outcome

    def end(self, fire_id, _how):
        self.world.happens(self)
        self.world.broker.cancel(fire_id)

    def fetch(self, fire_id):
        self.world.happens(self)
        return self.world.broker.knows(fire_id)

    def brain_ms(self):
        return self.world.store_ms()

    def refresh(self):
        self.world.happens(self)
        self.world.refresh(self)

    def tell(self, fact):
        self.world.hear(self, fact)

    def note(self, _code, _text, *, is_over=False):
        """Nobody looks."""

    # ---- a life
    def next_ms(self):
        times = [None if self.is_stepping else self.wake_ms]
        times.append(None if self.is_renewing else self.renew_ms)
        return min((each for each in times if each is not None), default=None)

    def act(self):
        """Do what this process does next in one of its two threads, a step or a renewal."""
        now = self.world.now_ms
        if self.renew_ms is not None and self.renew_ms <= now and not self.is_renewing:
            self.is_renewing = True
            self.go(self.renew, "is_renewing")
        else:
            self.is_stepping = True
            self.go(self.step, "is_stepping")
        self.believes_no_longer()

    def believes_no_longer(self):
        """What this process holds for its own ends before it does in the store."""
        world, books = self.world, self.world.books
        lease = self.leader.tenure.lease if self.leader is not None else None
        if lease is None or world.jumped or (books.owner, books.epoch) != lease[:2]:
            return
        until_ms = (lease.deadline - self.number) * 1000 / self.rate + world.skew_ms
        holds(BELIEVED, until_ms <= books.expires_ms, f"{until_ms - books.expires_ms} ms longer")

    def go(self, work, flag):
        """Do something in a thread that may die with its process, or after it."""
        leader = self.leader
        try:
            work()
        except Crash:
            if self.leader is leader:
                self.die()
        finally:
            if self.leader is leader:
                setattr(self, flag, False)

    def hand_over(self):
        """The process is told to stop, and starts again."""
        self.is_stepping = True
        self.go(self.leave, "is_stepping")

    def leave(self):
        """Release the lease; the process is over."""
        self.leader.release()
        self.leader, self.wake_ms, self.renew_ms = None, None, None
        self.world.later(1_000, self.start)

    def die(self):
        """The process is gone, and comes back some time."""
        self.world.met["crashes"] += 1
        self.leader, self.wake_ms, self.renew_ms = None, None, None
        self.world.later(self.world.rng.choice((500, 5_000, 30_000)), self.start)

    def step(self):
        self.wake_ms = None
        was = self.leader.is_leading
        try:
            pause = self.leader.step()
        except Exception as error:
            raise Broken(DECIDES, repr(error)) from error
        if pause.seconds is not None:
            self.wake_ms = self.world.now_ms + max(int(pause.seconds * 1000), 0) + 1
        if self.leader.is_leading and not was:
            self.world.met["tenures"] += 1
            self.renew_ms = self.world.now_ms + TTL_MS // 3
            self.put()

    def renew(self):
        self.renew_ms = self.world.now_ms + TTL_MS // 3
        try:
            self.leader.tenure.renew()
            self.put()
        except LeaseLost:
            self.renew_ms, self.wake_ms = None, self.world.now_ms
        except StoreUnavailable:
            self.renew_ms = self.world.now_ms + 1_000
        if not self.leader.is_leading:
            self.renew_ms = None

    def put(self):
        """Leave the snapshot in the store, as a host does some time after a change."""
        if self.held is not None and self.world.rng.random() < 0.5:
            self.world.books.rev = max(self.world.books.rev, self.held.rev)

    def receive(self, snapshot):
        """A snapshot arrives."""
        asked = self.held is not None and snapshot.last_slots and snapshot.stand == self.held.stand
        if self.held is None or snapshot.stand > self.held.stand or asked:
            self.held = snapshot
            if self.leader is not None:
                self.wake_ms = self.world.now_ms
