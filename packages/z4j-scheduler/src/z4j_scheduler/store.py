"""The brain as the lease store of a scheduler. The rule: of runs the brain knows more than we do.

A scheduler sees no task, so it notes no run: what goes on, and how often a schedule failed in a
row, the brain reads from the history that agents tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from z4j_core.errors import LeaseLost, StoreError
from z4j_core.scheduler.lease import Claim, Lease, Mark, OpenFire, Outcome, Refusal
from z4j_core.scheduler.leases.brain import BrainStore

from .lines import Ask, Lines


class Named(NamedTuple):
    """All that a fire is asked for by."""

    schedule: str
    generation: int
    slot_ms: int


class CentralStore(BrainStore):
    """The store of one group, for whoever fires through the brain."""

    def __init__(self, ask: Ask, boottime: Callable[[], float], lines: Lines) -> None:
        super().__init__(ask, boottime)
        self._lines = lines
        self.lease: Lease | None = None
        """The lease as of the last answer about it."""
        self.refused = ""
        """Why this process does not lead; empty when it does, or never asked."""
        self.slots: dict[str, Named] = {}
        """Fires that are claimed and not settled."""

    def acquire(self, owner: str, *, ttl_ms: int, fp: str, rev: str) -> Lease | Refusal:
        """Become the leader, or hear why not."""
        self.lease = None
        found = super().acquire(owner, ttl_ms=ttl_ms, fp=fp, rev=rev)
        if isinstance(found, Lease):
            self.lease, self.refused = found, ""
        else:
            self.refused = found.reason
        return found

    def renew(self, lease: Lease, *, ttl_ms: int) -> Lease:
        """Hold it for longer, and tell what was not told yet."""
        try:
            found = self.lease = super().renew(lease, ttl_ms=ttl_ms)
        except LeaseLost:
            self.lease = None
            raise
        with suppress(StoreError):  # what is not told is kept; a lost lease is seen by other calls
            self._lines.send(lease.owner, lease.epoch)
        return found

    def release(self, lease: Lease) -> None:
        """Give it back, with nothing left to tell where that can be."""
        self.lease = None
        with suppress(StoreError):
            self._lines.send(lease.owner, lease.epoch)
        super().release(lease)

    def claim(self, lease: Lease, fires: Sequence[Claim]) -> list[Outcome]:
        """Write down who fires which slots."""
        found = super().claim(lease, fires)
        for fire, outcome in zip(fires, found, strict=True):
            if outcome is Outcome.CLAIMED:
                self.slots[fire.fire_id] = Named(fire.schedule, fire.generation, fire.slot_ms)
        return found

    def open(self) -> list[OpenFire]:
        """Fires that are not settled; those that are not among them are forgotten."""
        found = super().open()
        self.slots = {f.fire_id: Named(f.schedule, f.generation, f.slot_ms) for f in found}
        return found

    def settle(self, lease: Lease, marks: Sequence[Mark]) -> None:
        """Write down what became of fires, once the brain has been told."""
        self._lines.send(lease.owner, lease.epoch)
        super().settle(lease, marks)
        for mark in marks:
            if mark.state != "buffered":
                self.slots.pop(mark.fire_id, None)

    def run_started(self, schedule: str, fire_id: str, *, started: bool) -> None:
        """Nothing: the brain hears of it from the agent."""

    def run_ended(self, schedule: str, fire_id: str, *, failed: bool) -> int:
        """Nothing: no run ends here."""
        return 0

    def reset_failures(self, schedule: str) -> None:
        """Nothing: the brain counts anew by itself when a schedule is resumed."""
