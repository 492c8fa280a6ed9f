"""The time of the lease store, read here. The rule: no wall clock decides anything.

It is the store's time at the last reading plus what the boot clock went on since, so it counts a
suspend, and it never goes back. Where both disagree nothing fires until two readings agree.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...clock import Clock

APART_MS = 5_000
"""By so much the store's clock and ours may differ between two readings."""
AHEAD_MS = 60_000
"""By so much the store may be ahead of both this machine's wall clock and the brain's."""


def unheard() -> int | None:
    """The brain's clock where the brain was never heard."""
    return None


class StoreClock:
    """Milliseconds since the epoch by the store. Shared by the loop and what renews.

    `brain_ms` is the time by the brain's clock in milliseconds, None while it was never heard.
    """

    def __init__(self, clock: Clock, brain_ms: Callable[[], int | None] = unheard) -> None:
        self._clock = clock
        self._brain_ms = brain_ms
        self._lock = threading.Lock()
        self._store_ms = 0
        self._boot = 0.0
        self._floor = 0
        self._apart = False

    def boottime(self) -> float:
        """Seconds of the boot clock."""
        return self._clock.boottime()

    def restart(self, store_ms: int) -> None:
        """Take a first reading, or one after others may have fired: nothing to compare it with."""
        with self._lock:
            self._apart = False
            self._take(store_ms)

    def read(self, store_ms: int) -> None:
        """Take a reading that has just arrived, and compare it with the one before."""
        with self._lock:
            apart = abs(store_ms - self._expected()) > APART_MS
            self._apart = apart
            self._take(store_ms)

    def now_ms(self) -> int:
        """The time; it may stand still, it never falls."""
        with self._lock:
            self._floor = max(self._floor, self._expected())
            return self._floor

    @property
    def held(self) -> str:
        """Why nothing may fire by this clock now; empty when it may."""
        if self._apart:
            return "the clock of the lease store and the one of this machine went apart"
        now = self.now_ms()
        ahead = now - self._clock.wall_us() // 1000
        if ahead <= AHEAD_MS:
            return ""
        brain = self._brain_ms()
        if brain is not None and now - brain <= AHEAD_MS:
            return ""  # it is the clock of this machine that is wrong
        return f"the lease store is {ahead // 1000} s ahead of the clock of this machine"

    def _expected(self) -> int:
        return self._store_ms + int((self._clock.boottime() - self._boot) * 1000)

    def _take(self, store_ms: int) -> None:
        self._store_ms = store_ms
        self._boot = self._clock.boottime()
