"""What a store keeps of a claimed fire. The rule: a later leader can finish it or tell of it.

The invocation is not in it: a fire runs by the definition that is held when it is placed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import NamedTuple

from ...model.fires import Status, Why
from ..fires import fire_id, named
from ..lease import Claim, Mark, OpenFire
from ..slots import Slot
from .contract import FireFact

FIRE, WAIT, TELL = "fire", "wait", "tell"
"""What a claim is for: to enqueue, to enqueue once others ended, to settle what was told."""
_written = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(slots=True)
class Fire:
    """One slot on its way. `enq` is the highest attempt to enqueue that may have happened."""

    schedule: str
    generation: int
    revision: int
    slot: Slot
    due_ms: int
    why: Why
    id: str
    kind: str = FIRE
    status: Status = Status.CLAIMED
    reason: str | None = None
    count: int = 1
    enq: int = 0
    tries: int = 0
    since_ms: int = 0
    nonce: str | None = None
    max_fires: int | None = None
    ends_ms: int = 0
    """The last slot that this line is about, where there are several."""
    renumber: bool = False
    """Whether the next attempt needs a number of its own."""
    is_last: bool = False
    is_settled: bool = False
    claims_cursor: bool = False
    """Whether a line that is only told is claimed too."""

    @property
    def needs_claim(self) -> bool:
        """Whether carrying it out needs a claim."""
        return self.claims_cursor or (self.kind != TELL and not self.since_ms)

    @property
    def cursor_ms(self) -> int:
        """Where the cursor stands once it is carried out."""
        return max(self.ends_ms, self.slot.at_ms)

    def claim(self) -> Claim:
        """How it is claimed; what an `on_start` fires once has a cursor of its own."""
        if self.nonce is not None:
            return Claim(self.id, 0, 0, self.id, self._record())
        return Claim(
            self.schedule, self.generation, self.cursor_ms, self.id, self._record(), self.max_fires
        )

    def mark(self, state: str) -> Mark:
        """What is written into the store about it."""
        return Mark(self.id, state, self.enq)

    def fact(self, at_ms: int, epoch: int, status: Status, reason: str | None = None) -> FireFact:
        """A line of the ledger about it."""
        return FireFact(
            at_ms, self.schedule, self.generation, self.slot.at_ms, self.id, status, self.why,
            epoch, self.revision, self.due_ms, max(at_ms - self.due_ms, 0), max(self.enq, 1),
            self.count, self.slot.local, self.slot.fold, self.nonce,
            None if reason is None else reason[:256],
        )  # fmt: skip

    def _record(self) -> bytes:
        kept = [
            self.schedule, self.generation, self.revision, list(self.slot), self.due_ms,
            int(self.why), self.kind, int(self.status), self.reason, self.count, self.nonce,
        ]  # fmt: skip
        return _written(kept).encode()


def fire_of(schedule: str, generation: int, revision: int, slot: Slot, why: Why) -> Fire:
    """The fire of a slot, due at the slot."""
    name = fire_id(schedule, generation, slot.at_ms)
    return Fire(schedule, generation, revision, slot, slot.at_ms, why, name)


def start_of(schedule: str, generation: int, revision: int, slot: Slot, release: str) -> Fire:
    """The fire of a release that starts; `slot` is now."""
    name = named(schedule, f"s|{release}")
    fire = Fire(schedule, generation, revision, slot, slot.at_ms, Why.ON_START, name)
    return replace(fire, nonce=release[:64])


class Kept(NamedTuple):
    """An open fire of the store and what its record says."""

    fire: Fire
    is_waiting: bool


def read_open(found: OpenFire) -> Kept | None:
    """The fire a store holds open; None where its record cannot be read."""
    try:
        (schedule, generation, revision, slot, due_ms, why, kind, status, reason, count,
         nonce) = json.loads(found.record)  # fmt: skip
        fire = Fire(
            schedule, generation, revision, Slot(*slot), due_ms, Why(why), found.fire_id, kind,
            Status(status), reason, count, found.enq, since_ms=found.claimed_ms, nonce=nonce,
        )  # fmt: skip
    except (ValueError, TypeError):
        return None
    untried = (found.state == "claimed" and kind == WAIT) or found.enq == 0
    return Kept(fire, is_waiting=untried)
