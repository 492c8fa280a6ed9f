"""What became of fires, told and settled. The rule: nothing is settled unsaid."""

from __future__ import annotations

from ...model.fires import Status
from ..lease import LeaseStore, Mark
from .clock import StoreClock
from .fan import SETTLE_S
from .guarded import Guarded
from .record import Fire
from .tenure import Tenure

AT_ONCE = 64
_MOST = 500


class Ledger:
    """Lines for the brain, and marks for the store that are written by 64 or after 20 ms."""

    def __init__(self, store: LeaseStore, host: Guarded, tenure: Tenure, clock: StoreClock) -> None:
        self._store = store
        self._host = host
        self._tenure = tenure
        self._clock = clock
        self._marks: list[Mark] = []
        self._since = 0.0

    def tell(self, fire: Fire, status: Status, reason: str | None = None) -> None:
        """Write a line about a fire."""
        self._host.tell(fire.fact(self._clock.now_ms(), self._tenure.epoch, status, reason))

    def mark(self, fire: Fire, state: str) -> None:
        """Let the store know, soon."""
        if not self._marks:
            self._since = self._clock.boottime()
        self._marks.append(fire.mark(state))

    def settle_soon(self) -> None:
        """Write marks when there are many, or they have waited."""
        waited = self._clock.boottime() - self._since
        if self._marks and (len(self._marks) >= AT_ONCE or waited >= SETTLE_S):
            self.settle()

    def settle(self) -> None:
        """Write all marks.

        Raises:
            LeaseLost, StoreUnavailable: those that were not written are kept.
        """
        while self._marks:
            part = self._marks[:_MOST]
            self._store.settle(self._tenure.held(), part)
            del self._marks[: len(part)]

    def forget(self) -> None:
        """Leave what is not written to the next leader."""
        self._marks.clear()
