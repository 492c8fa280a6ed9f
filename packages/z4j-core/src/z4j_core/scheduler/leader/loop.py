"""A leader with threads. The rule: it waits on conditions, and nothing that happens ends it.

One thread makes steps and one renews the lease; both are daemons and start with the loop. Only
primitives of `threading` are used, so it runs under gevent as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...clock import Clock
from ...errors import LeaseLost, StoreError
from ..lease import LeaseStore
from .contract import Host, Settings
from .fan import Threads
from .guarded import FAILED, tried
from .leader import AGAIN_S, Leader, Pause

_HELD_S = 1.0
"""How often the store's clock is read while it is not believed."""


class Loop:
    """Leads a group from this process, or stands by to. A child of a fork has to forget it."""

    def __init__(
        self,
        store: LeaseStore,
        host: Host,
        clock: Clock,
        settings: Settings,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._leader = Leader(
            store, host, clock, settings, entropy=entropy, fan=Threads(clock.boottime)
        )
        self._every_s = settings.ttl_ms / 3000
        self._changed = threading.Condition()
        self._woken = False
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="z4j-leader", daemon=True),
            threading.Thread(target=self._renew, name="z4j-lease", daemon=True),
        ]

    @property
    def is_leading(self) -> bool:
        """Whether this process holds the lease, as far as it knows."""
        return self._leader.is_leading

    @property
    def loading(self) -> int:
        """How many schedules a leader has yet to look at for the first time."""
        return self._leader.loading

    @property
    def epoch(self) -> int:
        """The epoch under which this process leads; 0 when it does not."""
        return self._leader.tenure.epoch

    def start(self) -> None:
        """Begin to lead, or to stand by; returns at once."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look again: there is another snapshot. May be called by any thread."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()
        if not self._leader.is_leading:
            self._store.wake()

    def run_ended(self, schedule: str) -> None:
        """Hear that a run of a schedule ended: another may wait for it."""
        self._leader.ended.add(schedule)
        self.wake()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Release the lease and end; whether all had ended after `timeout_s` seconds."""
        self._leader.stopping = True
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        host = self._leader.host
        while not self._stopping.is_set():
            pause, error = tried(self._leader.step)
            if error is None:
                host.well("step")
            else:
                host.trouble("step", FAILED, f"the scheduler: {error!r}")
                pause = Pause(AGAIN_S)
            self._wait(pause)
        self._leader.release()

    def _wait(self, pause: Pause) -> None:
        if pause.in_store and pause.seconds:
            try:
                self._store.wait(pause.seconds)
            except StoreError:
                self._stopping.wait(AGAIN_S)
            return
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._stopping.is_set(), pause.seconds)
            self._woken = False

    def _renew(self) -> None:
        leader, held = self._leader, False
        while not self._stopping.wait(_HELD_S if held else self._every_s):
            _, error = tried(leader.tenure.renew)
            held = bool(leader.is_leading and leader.clock.held)
            if isinstance(error, LeaseLost):
                self.wake()
            elif error is None:
                leader.host.well("renew")
            elif isinstance(error, StoreError):
                leader.host.trouble("renew", error.code, f"renewing the lease: {error}")
            else:
                leader.host.trouble("renew", FAILED, f"renewing the lease: {error!r}")
