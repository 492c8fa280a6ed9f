"""The lease as the threads of a leader see it. The rule: it is asked before every enqueue."""

from __future__ import annotations

from ...errors import LeaseLost
from ..lease import Lease, LeaseStore
from .clock import StoreClock


class Tenure:
    """Whether this process leads. One thread renews, others ask.

    Two threads change `lease`: who lets go of it always wins.
    """

    def __init__(self, store: LeaseStore, clock: StoreClock, ttl_ms: int) -> None:
        self._store = store
        self._clock = clock
        self._ttl_ms = ttl_ms
        self.lease: Lease | None = None

    @property
    def left_s(self) -> float:
        """Seconds for which this process may still fire; none when it may not."""
        lease = self.lease
        return 0.0 if lease is None else max(0.0, lease.deadline - self._clock.boottime())

    @property
    def epoch(self) -> int:
        """The epoch of the lease that is held; 0 for none."""
        lease = self.lease
        return 0 if lease is None else lease.epoch

    def held(self) -> Lease:
        """The lease.

        Raises:
            LeaseLost: none is held.
        """
        lease = self.lease
        if lease is None:
            raise LeaseLost("it was let go of")
        return lease

    def begin(self, lease: Lease) -> None:
        """Lead from now on."""
        self._clock.restart(lease.store_now_ms)
        self.lease = lease

    def renew(self) -> None:
        """Hold the lease for longer; nothing when none is held.

        Raises:
            LeaseLost: it is let go of.
            StoreUnavailable: it is held until its deadline.
        """
        lease = self.lease
        if lease is None:
            return
        try:
            found = self._store.renew(lease, ttl_ms=self._ttl_ms)
        except LeaseLost:
            self._swap(lease, None)
            raise
        self._clock.read(found.store_now_ms)
        self._swap(lease, found)

    def end(self) -> Lease | None:
        """Let go of the lease here; the store is not told. What was held."""
        lease, self.lease = self.lease, None
        return lease

    def _swap(self, held: Lease, new: Lease | None) -> None:
        if self.lease is held:
            self.lease = new
