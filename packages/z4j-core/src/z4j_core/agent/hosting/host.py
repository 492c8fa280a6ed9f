"""One group as this process serves it. The rule: whatever fails is told once and tried again.

A thread of its own does what may wait for the lease store: it fetches and puts the snapshot and
tells of runs. The leader, where there is one, has threads of its own; the agent's thread and the
host's never wait for a store.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from ...errors import ConfigError, LeaseLost, StoreError, StoreUnavailable
from ...invoke import attempt
from ...scheduler.lease import LeaseStore
from ...scheduler.snapshot import Snapshot, Unproven, bucketed, unbucketed
from .choice import choose
from .followed import Followed
from .home import Home
from .tracked import Runs, tracked

if TYPE_CHECKING:
    from ...scheduler.leader import Loop

LOOK_S = 30.0
"""How often a store is asked for schedules where nobody has any."""
AGAIN_S = 2.0
_FEW = 2_000
"""Up to so many schedules all buckets are put: nothing has to be known of what is there."""


class GroupHost:
    """Serves one group: leads it or stands by to, where `leads`; tells of its runs in any case."""

    def __init__(self, home: Home, *, leads: bool) -> None:
        self.leads = leads
        self.runs = Runs(home.emitter.source, home.clock.monotonic)
        self._home = home
        self.loop: Loop | None = None
        """What leads, or stands by to."""
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._put: Snapshot | None = None
        self._store_rev = ""
        self._told = ""
        self._thread = threading.Thread(target=self._work, name="z4j-schedules", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._home.shelf.listeners.append(self._changed)
        self._changed()
        self._thread.start()

    def note(self, body: bytes) -> None:
        """Look at an item that this process, or a child of it, wrote."""
        if self.runs.note(body):
            self._woken.set()

    def stop(self, timeout_s: float) -> None:
        """Hand over and end; waits at most `timeout_s` seconds."""
        self._stopping.set()
        self._woken.set()
        self._home.shelf.listeners.remove(self._changed)
        if self.loop is not None:
            self.loop.stop(timeout_s)
        if timeout_s:
            self._thread.join(timeout_s)

    def _changed(self) -> None:
        held = self._home.shelf.held
        if held is not None:
            self.runs.tracked = tracked(held.schedules)
        if self.loop is not None:
            self.loop.wake()
        self._woken.set()

    def _work(self) -> None:
        """Serve until stopped; what fails is told once, and tried again."""
        store = self._opened()
        pause_s = AGAIN_S
        while store is not None and not self._stopping.is_set():
            outcome = attempt(partial(self._serve, store))
            if not outcome.ok:
                self._trouble(f"schedules of {self._home.group}: {outcome.detail}")
                self._stopping.wait(pause_s)
                pause_s = min(LOOK_S, pause_s * 2)
        if self.loop is not None:
            self.loop.stop(1.0)
        if store is not None:
            store.close()

    def _opened(self) -> LeaseStore | None:
        """The store of the group; None when a setting forbids that there is one."""
        while not self._stopping.is_set():
            try:
                return choose(self._home.place)
            except ConfigError as error:
                self._home.note(error.code, error.text)
                return None
            except StoreError as error:
                self._trouble(f"the lease store cannot be used: {error}")
                self._stopping.wait(LOOK_S)
        return None

    def _serve(self, store: LeaseStore) -> None:
        if self.loop is None and self.leads and self._fetched_first(store):
            self.loop = self._led(Followed(store, self._seen))
        while not self._stopping.is_set():
            self._woken.wait(self._turn(store))
            self._woken.clear()

    def _led(self, store: Followed) -> Loop:
        from .leading import lead  # noqa: PLC0415 - triggers and zones, only where they are needed

        loop = lead(self._home, store)
        self.runs.ended = loop.run_ended
        return loop

    def _trouble(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._home.note("Z4J-E309", text)

    def _turn(self, store: LeaseStore) -> float:
        """Do what there is to do; seconds until the next look."""
        try:
            self._exchange(store)
            self.runs.work(store)
        except (StoreUnavailable, LeaseLost):
            return AGAIN_S
        return min(1.0, self.runs.due_s) if self.runs.has_work else self.runs.due_s

    def _fetched_first(self, store: LeaseStore) -> bool:
        """Wait until there are schedules; False when there is nothing more to wait for."""
        while not self._stopping.is_set():
            if self._home.shelf.count:
                return True
            try:
                self._fetch(store)
            except StoreUnavailable:
                self._woken.wait(AGAIN_S)
            else:
                if not self._home.shelf.count:
                    self._woken.wait(LOOK_S)
            self._woken.clear()
        return False

    def _seen(self, rev: str) -> None:
        """Hear which snapshot the store has; called by the leader's threads."""
        if rev != self._store_rev:
            self._store_rev = rev
            self._woken.set()

    def _exchange(self, store: LeaseStore) -> None:
        """Give the store the snapshot that is newer, or take it from there."""
        held = self._home.shelf.held
        ours = held.rev if held is not None else ""
        if self._store_rev > ours:
            self._fetch(store)
        elif held is not None and self.leads and self._store_rev < ours:
            base = self._put if self._put is not None and self._put.rev == self._store_rev else None
            store.put_snapshot(bucketed(held, base if len(held.schedules) > _FEW else None))
            self._put, self._store_rev = held, max(self._store_rev, ours)

    def _fetch(self, store: LeaseStore) -> None:
        kept = store.snapshot()
        if kept is None:
            return
        self._store_rev = kept.rev
        try:
            if self._home.shelf.offer(unbucketed(kept)):
                self._put = self._home.shelf.held
        except Unproven as error:
            self._home.note(error.code, f"{error}: in the {store.kind} lease store")
