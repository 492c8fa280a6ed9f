"""Who leads by a store that knows of no leader. The rule: who led last is let in first.

A store that was emptied has no cursors, and nobody but the last leader knows which slots were fired
a moment ago. Others wait for it a little, and ask the brain meanwhile how far all has come.
"""

from __future__ import annotations

from itertools import islice

from ...clock import Clock
from ...errors import ScheduleInvalid
from ..lease import LeaseStore
from .contract import Snapshot
from .glance import glance
from .guarded import Guarded

COURTESY_S = 5.0
"""Longer than a leader needs to come back to a store that is there again."""
AGE_MS = 30_000
"""A schedule as old as this would have had a leader by now."""
_LOOKED_AT = 64


class Newcomer:
    """Whether this process led last, and for how long it leaves an empty store to who did."""

    def __init__(self, store: LeaseStore, host: Guarded, clock: Clock) -> None:
        self._store = store
        self._host = host
        self._clock = clock
        self._led_last = False
        self._until: float | None = None

    def led(self) -> None:
        """This process leads."""
        self._led_last, self._until = True, None

    def refused(self, reason: str) -> None:
        """This process was not let in."""
        self._until = None
        if reason == "held":
            self._led_last = False

    def wait_s(self, snapshot: Snapshot) -> float:
        """Seconds to wait before asking for the lease; 0 for none.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        if self._led_last or not self._store.is_blank() or not self._is_old(snapshot):
            self._until = None
            return 0.0
        now = self._clock.boottime()
        if self._until is None:
            self._until = now + COURTESY_S
            self._host.refresh()
        return max(0.0, self._until - now)

    def _is_old(self, snapshot: Snapshot) -> bool:
        """Whether somebody must have led by these schedules."""
        if snapshot.last_slots:
            return True
        before_ms = self._clock.wall_us() // 1000 - AGE_MS
        for data in islice(snapshot.schedules.values(), _LOOKED_AT):
            try:
                _, schedule = glance(data)
            except ScheduleInvalid:
                continue
            if max(schedule.effective_ms, schedule.not_before_ms) < before_ms:
                return True
        return False
