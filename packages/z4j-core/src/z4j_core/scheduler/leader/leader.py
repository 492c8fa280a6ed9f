"""A leader, one step at a time. The rule: a step is bounded and says when the next is.

It has no threads and never sleeps: `loop` gives it a thread, a simulator gives it a world. `step`
raises nothing that a store, a host or a schedule causes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ...clock import Clock
from ...errors import LeaseLost, StoreError, StoreUnavailable
from ...model.fires import Status
from ..lease import LeaseStore, OpenFire, Refusal, rev_text
from .book import Book
from .clock import StoreClock
from .contract import Host, Settings, Snapshot
from .fan import Fan, one_by_one
from .guarded import Guarded
from .journal import EVERY_S, Journal
from .ledger import Ledger
from .memory import Memory
from .newcomer import Newcomer
from .placing import Placing
from .planning import Planning
from .record import TELL, read_open
from .tenure import Tenure
from .turns import Tools, Turns

AGAIN_S = 1.0
OTHER_BROKER = "Z4J-E301"


class Pause(NamedTuple):
    """When the next step is to be made: after `seconds`, None for when woken.

    `in_store`: the wait is to be that of the store, which ends early when the lease is free.
    """

    seconds: float | None
    in_store: bool = False


NOW = Pause(0.0)


class Leader:
    """Leads a group, or stands by to. One thread makes steps, another may renew `tenure`."""

    def __init__(
        self,
        store: LeaseStore,
        host: Host,
        clock: Clock,
        settings: Settings,
        *,
        fan: Fan = one_by_one,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._settings = settings
        self._entropy = entropy
        self.host = Guarded(host)
        self.clock = StoreClock(clock, self.host.brain_ms)
        self.tenure = Tenure(store, self.clock, settings.ttl_ms)
        self.book = Book()
        self._journal = Journal(settings.journal)
        self._memory = Memory(self._journal)
        self._ledger = Ledger(store, self.host, self.tenure, self.clock)
        self._placing = Placing(store, self.host, self.tenure, self._ledger, self.clock, fan)
        self._planning = Planning(store, self.host, self.book, self._memory, self.clock)
        self._placing.parsed = self._planning.parsed
        self._placing.stopped = lambda: self.stopping
        self._planning.placed_later = self._placing.waiting
        self.stopping = False
        self.ended: set[str] = set()
        """Schedules of which a run has ended, as other threads hear of it."""
        self._snapshot: Snapshot | None = None
        self._is_ready = False
        self._newcomer = Newcomer(store, self.host, clock)
        tools = Tools(
            store, self.host, self.tenure, self.book, self._memory, self._ledger, self._placing,
            self._planning, self.clock,
        )  # fmt: skip
        self._turns = Turns(tools, settings.release)
        self._written = 0.0

    @property
    def is_leading(self) -> bool:
        """Whether this process holds the lease, as far as it knows."""
        return self.tenure.lease is not None

    @property
    def loading(self) -> int:
        """How many schedules have yet to be looked at; one at least before it is known."""
        return self._turns.unloaded if self._is_ready else 1

    def step(self) -> Pause:
        """Do some of what there is to do."""
        try:
            found = self._lead() if self.is_leading else self._campaign()
        except LeaseLost:
            self._step_down()
            return NOW
        except StoreUnavailable as error:
            self.host.trouble("store", error.code, str(error))
            return Pause(AGAIN_S)
        except StoreError as error:
            self.host.trouble("store", error.code, str(error))
            return Pause(self._settings.ttl_ms / 1000)
        self.host.well("store")
        return found

    def release(self) -> None:
        """Give the lease back, so that another leads at once."""
        lease = self.tenure.end()
        self._step_down()
        if lease is not None:
            try:
                self._store.release(lease)
            except StoreError as error:
                self.host.trouble("store", error.code, str(error))

    # ------------------------------------------------------------------ standing by

    def _campaign(self) -> Pause:
        snapshot = self.host.snapshot()
        if snapshot is None:
            return Pause(None)
        wait_s = self._newcomer.wait_s(snapshot)
        if wait_s:
            return Pause(wait_s, in_store=True)
        settings = self._settings
        rev = rev_text(snapshot.era, snapshot.revision)
        found = self._store.acquire(settings.owner, ttl_ms=settings.ttl_ms, fp=settings.fp, rev=rev)
        if isinstance(found, Refusal):
            return self._refused(found)
        self._is_of_this_broker()
        self._step_down()  # the thread that renews may have ended the last tenure
        self.tenure.begin(found)
        self._newcomer.led()
        self._is_ready = False
        return NOW

    def _refused(self, refusal: Refusal) -> Pause:
        if refusal.reason == "other_broker":
            self.host.trouble(
                "broker", OTHER_BROKER, "the lease of this group is of another broker"
            )
            return Pause(self._settings.ttl_ms / 1000, in_store=True)
        self._is_of_this_broker()
        self._newcomer.refused(refusal.reason)
        left_ms = refusal.expires_ms - refusal.store_now_ms
        if refusal.reason == "older_snapshot":
            left_ms = 1_000
        most = self._settings.ttl_ms
        return Pause(min(max(left_ms, 0), most) / 1000 + self._entropy(1)[0] / 512, in_store=True)

    def _is_of_this_broker(self) -> None:
        self.host.well("broker", OTHER_BROKER, "the lease of this group is of this broker")

    def _prepare(self, snapshot: Snapshot) -> None:
        """Learn how far all has come before anything is fired; made again until it works."""
        cursors, found = self._store.cursors(), list(self._store.open())
        self._memory.begin(cursors)
        self._memory.told(snapshot.last_slots)
        self._recover(found)
        self.book.clear()
        self._take(snapshot)
        self._turns.bury_absent()
        self._is_ready = True

    def _recover(self, opened: Iterable[OpenFire]) -> None:
        """Take over what others claimed and did not settle."""
        now = self.clock.boottime()
        for found in opened:
            kept = read_open(found)
            if kept is None:
                continue
            fire = kept.fire
            self._memory.pass_slot(fire.schedule, fire.slot.at_ms)
            if fire.kind == TELL:
                self._ledger.tell(fire, fire.status, fire.reason)
                self._ledger.mark(fire, "dropped")
            elif kept.is_waiting:
                fire.enq, fire.renumber = 0, True
                self._ledger.tell(fire, Status.BUFFERED, fire.reason)
                self._memory.waiting.setdefault(fire.schedule, {})[fire.slot.at_ms] = fire
            else:
                # Who claimed it may have died before it could say so.
                self._ledger.tell(fire, Status.CLAIMED)
                self._placing.look_later(fire, now, in_doubt=True)

    def _step_down(self) -> None:
        self.tenure.end()
        self._ledger.forget()
        self._placing.forget()
        self._planning.clear()
        self._turns.clear()
        self._snapshot = None
        self.book.clear()

    # ------------------------------------------------------------------ leading

    def _lead(self) -> Pause:
        if self.tenure.left_s <= 0:
            raise LeaseLost("it has run out by the clock of this machine")
        snapshot = self.host.snapshot()
        if snapshot is not None and not self._is_ready:
            self._prepare(snapshot)
        elif snapshot is not None and snapshot is not self._snapshot:
            self._take(snapshot)
        held = self.clock.held
        if held:
            self.host.trouble("clock", "Z4J-E303", f"no schedule fires: {held}")
            return Pause(AGAIN_S)
        self.host.well("clock")
        self._ledger.settle()
        self._resolve()
        ended, self.ended = self.ended, set()
        resumed = self._placing.resume()
        turned = self._turns.turn(ended)
        now = self.clock.boottime()
        if self._journal.is_new and now - self._written >= EVERY_S:
            self._written = now
            self._journal.write()
        return NOW if resumed or turned else Pause(self._idle_s())

    def _resolve(self) -> None:
        """Take over what this process may have claimed itself, without an answer."""
        doubted = self._turns.doubted
        if doubted:
            self._recover([found for found in self._store.open() if found.fire_id in doubted])
            self._turns.doubted = set()

    def _take(self, snapshot: Snapshot) -> None:
        """Go by a snapshot; what it changed is planned anew."""
        self._snapshot = snapshot
        self._turns.changed(self.book.take(snapshot))

    def _idle_s(self) -> float | None:
        """Seconds until there is something to do; None for nothing."""
        waits = [self._turns.idle_s(), self._placing.idle_s()]
        if self._journal.is_new:
            waits.append(EVERY_S)
        known = [wait for wait in waits if wait is not None]
        return max(min(known), 0.0) if known else None
