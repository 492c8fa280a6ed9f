"""What a leader is handed, and what it tells. The rule: this is all it reaches.

Times are milliseconds since the epoch by the clock of the lease store, unless a name says other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from ...invoke import Outcome
from ...model.fires import Status, Why
from ...model.tasks import Job

ENQUEUE_S = 1.5
"""Longest wait for one enqueue: less than the margin of a lease."""


class Found(Enum):
    """What an engine knows of a task."""

    UNKNOWN = "unknown"
    """The engine cannot tell."""
    ABSENT = "absent"
    """It is sure that it holds no such task, waiting, running or ended."""
    ALIVE = "alive"
    ENDED = "ended"


class End(Enum):
    """How a run is ended to make room for the next one."""

    CANCEL = "cancel"
    TERMINATE = "terminate"


class FireFact(NamedTuple):
    """One line of the ledger of fires: the fields of `wire.items.Fire` that a leader knows.

    Of `count_` slots from `slot_ms` on, one line tells when they were missed. `at_ms` is when it
    was so; a line of the same fire and status may come again, and says nothing new then.
    """

    at_ms: int
    schedule: str
    generation: int
    slot_ms: int
    fire_id: str
    status: Status
    trigger: Why
    epoch: int
    revision: int
    due_ms: int
    lag_ms: int = 0
    enq: int = 1
    count_: int = 1
    slot_local: str = ""
    fold: int = 0
    nonce: str | None = None
    reason: str | None = None


class Snapshot(Protocol):
    """The schedules of the group, as `scheduler.snapshot.Snapshot` holds them. Immutable."""

    @property
    def era(self) -> int: ...
    @property
    def revision(self) -> int: ...
    @property
    def schedules(self) -> Mapping[bytes, bytes]: ...
    @property
    def last_slots(self) -> Mapping[bytes, tuple[int, int]]: ...
    @property
    def changes(self) -> tuple[tuple[int, int], frozenset[bytes]] | None: ...


class Host(Protocol):
    """What the process does for the leader. Calls come from threads of the leader.

    Whatever one of them raises is told by `note` and taken for the answer that is safe.
    """

    def snapshot(self) -> Snapshot | None:
        """The newest proven schedules; None for none yet. Never waits."""
        ...

    def brain_ms(self) -> int | None:
        """The time by the brain's clock as of its last word; None while it was never heard."""
        ...

    def refresh(self) -> None:
        """Ask the brain anew how far schedules have come; its answer is another `snapshot`."""
        ...

    def place(self, job: Job, enq: int, deadline_s: float) -> Outcome:
        """Enqueue a job now, within `deadline_s` seconds: `id` is the fire, `fire` its mark.

        It has a thread of its own, which may wait; what comes later than that nobody hears.
        `engine.unavailable` says that nothing was sent, `engine.indeterminate` that nobody knows,
        a code that begins with `policy.` that it is not permitted here.
        """
        ...

    def end(self, fire_id: str, how: End) -> None:
        """End a run to make room for the next one; it need not have ended on return."""
        ...

    def fetch(self, fire_id: str) -> Found:
        """What the engine knows of a fire."""
        ...

    def tell(self, fact: FireFact) -> None:
        """Write a line of the ledger; never waits for the brain."""
        ...

    def note(self, code: str, text: str, *, is_over: bool = False) -> None:
        """Tell operators of trouble; called once when it begins, of some also when it is over."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """How a process leads. `owner` is new for each start of a process, `fp` names the broker."""

    owner: str
    fp: str
    ttl_ms: int = 15_000
    release: str = ""
    journal: str = ""
    """A file that remembers slots beside the store; "" for none."""
