"""What a store of leases promises. The rule: no write counts without the epoch it was made under.

A store keeps, for one group (`project/engine/app`), who leads, how far each schedule has come,
which fires are claimed and not settled, which runs go on, and the sealed snapshot. Every write of
a leader is fenced: it happens in one step with the proof that the lease is still held.

Times of the store are milliseconds since the epoch by the store's own clock; `Lease.deadline` is
seconds of the boot clock of this machine. Calls may block for as long as the store's own timeouts
allow; they are made from threads that may wait. Stores are safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol, TypeAlias

MARGIN_MS = 2_000
"""How much earlier than the store a leader considers its lease over."""
CLAIMS = 500
"""Most claims of one call."""


class Lease(NamedTuple):
    """The right to fire for a group.

    `deadline`: boot-clock seconds read before the request, plus ttl, minus the margin. `rev` is the
    newest snapshot the store holds, as `rev_text` writes it, "" for none.
    """

    owner: str
    epoch: int
    deadline: float
    store_now_ms: int
    rev: str = ""


class Refusal(NamedTuple):
    """Why nobody was let in: `held`, `other_broker` or `older_snapshot`; until when it is held."""

    reason: str
    expires_ms: int
    store_now_ms: int
    rev: str = ""


class Claim(NamedTuple):
    """One slot that is to be fired. Of one schedule there is one at most in a call.

    `record` is what a later leader needs to finish it (opaque here, at most 4 KiB). `max_fires`
    bounds the claims of the generation. Fires by hand are no claims: they come as commands.
    """

    schedule: str
    generation: int
    slot_ms: int
    fire_id: str
    record: bytes
    max_fires: int | None = None


class Outcome(IntEnum):
    """What came of a claim."""

    CLAIMED = 1
    """Also when the same lease claimed it before and has not settled it: an answer was lost."""
    TAKEN = 0
    """The slot, or a later one, was claimed before, be it by an older generation."""
    STALE = -2
    """The store knows a newer generation."""
    SPENT = -3
    """`max_fires` is reached."""


class Mark(NamedTuple):
    """What became of a claimed fire: `sent`, `buffered`, `failed`, `dropped`.

    `enq` counts the attempts to enqueue, from 1. All but a buffered fire are settled: no longer
    open.
    """

    fire_id: str
    state: str
    enq: int = 1


class OpenFire(NamedTuple):
    """A fire that is claimed or buffered and not settled."""

    fire_id: str
    schedule: str
    generation: int
    slot_ms: int
    record: bytes
    state: str
    enq: int
    epoch: int
    claimed_ms: int


class Stand(NamedTuple):
    """How far a schedule has come.

    `fires` counts claims of this generation, `failures` runs that failed in a row, `last` is how
    the last run ended: `success`, `failed`, or "" for none.
    """

    generation: int
    slot_ms: int
    fires: int = 0
    failures: int = 0
    last: str = ""


class RunOf(NamedTuple):
    """A run of a schedule that has not ended, as far as the store knows."""

    fire_id: str
    since_ms: int
    seen_ms: int
    started: bool


class Sealed(NamedTuple):
    """A snapshot as it travels: `rev`, a head, and rows in buckets by crc32(id) & 255."""

    rev: str
    head: bytes
    buckets: Mapping[int, bytes]


Acquired: TypeAlias = Lease | Refusal


def rev_text(era: int, revision: int) -> str:
    """A revision as stores compare it: texts of equal length, the later one greater."""
    return f"{era:06d}.{revision:012d}"


def group_of(project: str, engine: str, app: str) -> str:
    """The name of a group in a store."""
    return f"{project}/{engine}/{app}"


class LeaseStore(Protocol):
    """A store of one group. Raises StoreUnavailable when it does not answer.

    What a call that raised StoreUnavailable did is unknown; every call may be made again.
    """

    @property
    def kind(self) -> str:
        """`redis`, `sql`, `brain` or `file`."""
        ...

    @property
    def survives_brain(self) -> bool:
        """Whether fires go on while the brain is away."""
        ...

    def acquire(self, owner: str, *, ttl_ms: int, fp: str, rev: str) -> Acquired:
        """Become the leader, or hear why not. The owner that holds it gets the same epoch again.

        `fp` names the broker of the group, `rev` the newest snapshot the candidate could lead by.
        """
        ...

    def is_blank(self) -> bool:
        """Whether nobody ever led this group, as far as it knows: it is new, or lost its data."""
        ...

    def renew(self, lease: Lease, *, ttl_ms: int) -> Lease:
        """Hold it for longer.

        Raises:
            LeaseLost: somebody else leads, or it had run out.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give it back and wake those who wait; nothing when it is not held any more."""
        ...

    def cursors(self) -> Mapping[str, Stand]:
        """Schedule to how far it has come."""
        ...

    def claim(self, lease: Lease, fires: Sequence[Claim]) -> list[Outcome]:
        """Write down who fires which slots, in one step; one outcome per claim, in order.

        Raises:
            LeaseLost: nothing was written.
        """
        ...

    def settle(self, lease: Lease, marks: Sequence[Mark]) -> None:
        """Write down what became of fires; of those that are not open nothing.

        Raises:
            LeaseLost: nothing was written.
        """
        ...

    def open(self) -> Iterable[OpenFire]:
        """Fires that are not settled, oldest slot first."""
        ...

    def first_start(self, fire_id: str, enq: int) -> bool:
        """Whether this copy of a fire may run: the first, or one of the same `enq`. Kept a day."""
        ...

    def forget_start(self, fire_id: str) -> None:
        """Let the next copy of a fire start: its engine retries it, and its messages have no mark.

        Where they have one, the guard knows a retry by its `enq`.
        """
        ...

    def was_started(self, fire_id: str) -> bool:
        """Whether a copy of this fire has ever begun, as far as the guard remembers."""
        ...

    def run_started(self, schedule: str, fire_id: str, *, started: bool) -> None:
        """Note that a fire was sent (`started` False) or runs; again every 30 s while it runs."""
        ...

    def run_ended(self, schedule: str, fire_id: str, *, failed: bool) -> int:
        """Note that a run ended for good; how many failed in a row by now. Twice counts once."""
        ...

    def running(self, schedule: str) -> list[RunOf]:
        """Runs that have not ended; one that was not seen for 120 s is not among them."""
        ...

    def reset_failures(self, schedule: str) -> None:
        """Start to count failures anew, as when an operator resumes."""
        ...

    def snapshot(self) -> Sealed | None:
        """The newest snapshot, None where none was put."""
        ...

    def put_snapshot(self, snapshot: Sealed) -> bool:
        """Keep a snapshot unless an equal or newer one is there; whether it was kept.

        `buckets` may hold only those that changed since the `rev` the store has; the others stay.
        """
        ...

    def wait(self, timeout_s: float) -> bool:
        """Sleep until something changed (lease released, snapshot put) or time is up.

        True also where a store cannot tell, as when it has just begun to listen.
        """
        ...

    def wake(self) -> None:
        """End a `wait` of this object in another thread."""
        ...

    def close(self) -> None:
        """Let go of connections; the lease stays as it is."""
        ...
