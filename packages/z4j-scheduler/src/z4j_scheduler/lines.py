"""What the brain is told of slots that no agent gets. The rule: nothing is settled unsaid.

Lines wait here until the brain has stored them; a leader settles nothing before that.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from z4j_core.errors import LeaseLost, StoreUnavailable
from z4j_core.model.fires import Status
from z4j_core.scheduler.leader import FireFact
from z4j_core.scheduler.leases.calls import Answer, Op
from z4j_core.scheduler.leases.calls import Status as Said

AT_ONCE = 100
MOST = 10_000
_AGENTS = frozenset({Status.CLAIMED, Status.SENT})
"""Told by the brain and by the agent that places a fire."""

Ask = Callable[[int, Sequence[Any]], Answer]


class Lines:
    """Lines of one group that the brain has not stored yet, oldest first."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._waiting: deque[FireFact] = deque(maxlen=MOST)
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, fact: FireFact) -> None:
        """Keep a line for the brain, unless others tell it; never waits."""
        if fact.status not in _AGENTS:
            self._waiting.append(fact)

    def send(self, owner: str, epoch: int) -> None:
        """Have all lines stored, by the right of a lease.

        Raises:
            LeaseLost: somebody else leads; the lines are dropped, for the next leader tells them.
            StoreUnavailable: those that were not stored are kept.
        """
        with self._turn:
            while self._waiting:
                part = [self._waiting[n] for n in range(min(AT_ONCE, len(self._waiting)))]
                self._store(owner, epoch, part)
                for _ in part:
                    self._waiting.popleft()

    def _store(self, owner: str, epoch: int, part: Sequence[FireFact]) -> None:
        status, values = self._ask(Op.TELL, [owner, epoch, [_row(fact) for fact in part]])
        if status == Said.HELD:
            self._waiting.clear()
            raise LeaseLost("the brain knows another leader")
        if status != Said.OK:
            raise StoreUnavailable(f"the brain cannot: {values[0] if values else status}")


def _row(fact: FireFact) -> list[Any]:
    """A line as op 13 carries it: the brain knows by itself what the slot is."""
    return [
        fact.at_ms, fact.schedule, fact.generation, fact.slot_ms, int(fact.status),
        int(fact.trigger), fact.revision, fact.due_ms, fact.lag_ms, fact.enq, fact.count_,
        fact.slot_local, fact.fold, fact.reason,
    ]  # fmt: skip
