"""What the agent sees of a spool, on disk or in memory.

The rule: offsets are dense; (stream, class, segment, offset) names an item for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .counts import Counters
from .hand import Hand
from .roots import Storage
from .stream import MAX_BYTES, MAX_CONTROL_BYTES


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Where and how much. `root` None = the usual places; sizes bound the whole directory."""

    root: str | None
    origin: str
    project: str
    cred_id: bytes
    max_bytes: int = MAX_BYTES
    max_control_bytes: int = MAX_CONTROL_BYTES


@dataclass(frozen=True, slots=True)
class Usage:
    """Figures for a heartbeat; `lost` and `evicted` count events since start."""

    bytes: int
    segments: int
    lost: int
    evicted: int
    oldest_age_s: float


@dataclass(frozen=True, slots=True)
class AdoptedStream:
    """A stream whose owner is gone. Read its journal before the next `Spool.scan()`.

    `was_offline` when the owner said goodbye; else it died.
    """

    stream: bytes
    epoch: int
    path: str
    journal_path: str
    was_offline: bool
    meta: Mapping[str, Any]


class Appender(Protocol):
    """The hook's side. Nothing here raises or waits."""

    def append(self, body: bytes, /) -> bool: ...
    def append_all(self, bodies: Sequence[bytes], /) -> None: ...
    def append_control(self, body: bytes, /) -> bool: ...
    @property
    def shed(self) -> int: ...
    @property
    def counters(self) -> Counters: ...
    def close(self) -> None: ...


class SegmentHandle(Protocol):
    """One segment, for the sender thread alone."""

    @property
    def stream(self) -> bytes: ...
    @property
    def epoch(self) -> int: ...
    @property
    def cls(self) -> int: ...
    @property
    def segment_id(self) -> bytes: ...
    @property
    def meta(self) -> Mapping[str, Any]: ...
    @property
    def first(self) -> int:
        """Lowest offset still held."""
        ...

    @property
    def last(self) -> int:
        """Offset of the last item the latest `read` returned (its `after` when it was empty)."""
        ...

    @property
    def acked(self) -> int:
        """Highest offset that `ack` was told."""
        ...

    @property
    def finished(self) -> bool:
        """Sealed, acknowledged and unlinked: say DONE."""
        ...

    def grew(self) -> bool:
        """Whether there may be items that no `read` has looked for; never of a sealed one."""
        ...

    def read(self, after: int, max_items: int, max_bytes: int) -> list[bytes]:
        """Bodies of the items after offset `after`; the first of them has offset `after` + 1.

        A LOST item spans up to its own `to`; `last` accounts for that.
        """
        ...

    def ack(self, upto: int) -> None:
        """Everything up to offset `upto` is stored by the brain; idempotent, may jump ahead."""
        ...


class Spool(Protocol):
    """The owner's side of one stream and of those it adopted."""

    @property
    def path(self) -> str:
        """Directory of the own stream: what a spawned child attaches to; "" in memory."""
        ...

    @property
    def home(self) -> str:
        """Directory shared by all streams of this credential; "" in memory."""
        ...

    @property
    def stream(self) -> bytes: ...
    @property
    def epoch(self) -> int: ...
    @property
    def storage(self) -> Storage: ...
    @property
    def note(self) -> str: ...
    @property
    def writer(self) -> Appender: ...
    @property
    def journal_path(self) -> str: ...
    @property
    def hand(self) -> Hand | None:
        """Where the owner's hooks put facts first; None where they append at once."""
        ...

    @property
    def is_owner(self) -> bool:
        """False in a forked child and once the lock file was taken away or replaced."""
        ...

    def scan(self) -> Sequence[SegmentHandle]: ...
    def changed(self) -> bool:
        """Whether segments may have come or gone since the last scan."""
        ...

    def grew(self) -> bool: ...
    def sync(self) -> None: ...
    def evict(self) -> None: ...
    def usage(self) -> Usage: ...
    def adopt(self) -> list[AdoptedStream]: ...
    def advise(self, shed: int) -> None:
        """Publish how much to shed (0-3) to this process and its children."""
        ...

    def close(self, *, offline: bool) -> None: ...
