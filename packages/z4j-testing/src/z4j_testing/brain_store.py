"""What a fake brain keeps. The rule: every change wakes those who wait; nothing is kept twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from z4j_core.errors import WireError
from z4j_core.model.tasks import ENDS, STATE_OF_KIND, EventKind
from z4j_core.wire import Batch, Item, Poison, Watermark, admit
from z4j_core.wire.bodies import Beat, Close, Register, Snapshot
from z4j_core.wire.codes import Fault, fault
from z4j_core.wire.items import Lost, Result, Task, span

from .signals import PATIENCE

_EMPTY = Watermark(0, 0)


class Place(NamedTuple):
    """One segment of one stream."""

    stream: bytes
    klass: int
    segment: bytes


@dataclass(slots=True)
class Segment:
    """What is stored of a segment: items by offset, each once; `lost` events are missing."""

    mark: Watermark = _EMPTY
    items: dict[int, Item | Poison] = field(default_factory=dict)
    lost: int = 0
    done: bool = False


class Store:
    """Everything agents sent, behind one Condition."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.segments: dict[Place, Segment] = {}
        self.owners: dict[bytes, bytes] = {}
        self.registers: list[Register] = []
        self.beats: list[Beat] = []
        self.snapshots: list[Snapshot] = []
        self.others: list[Any] = []
        self.closes: list[Close] = []
        self.faults: list[WireError] = []

    def note(self, change: Callable[[], object]) -> None:
        """Make one change under the lock and wake everybody who waits."""
        with self.changed:
            change()
            self.changed.notify_all()

    def wait_for(self, predicate: Callable[[], object], timeout_s: float = 5.0) -> None:
        """Wait until `predicate` holds; it is asked again after each change.

        Raises:
            TimeoutError: it did not hold in time.
        """
        with self.changed:
            if not self.changed.wait_for(predicate, timeout_s * PATIENCE):
                raise TimeoutError(f"not within {timeout_s} s; faults so far: {self.faults}")

    def open(self, cred_id: bytes, place: Place, epoch: int) -> int:
        """Start or resume a segment; the offset up to which it is stored.

        Raises:
            WireError: Epoch; the stream is another credential's, or taken over by a newer owner.
        """
        with self.changed:
            if self.owners.setdefault(place.stream, cred_id) != cred_id:
                raise fault(Fault.EPOCH, "the stream belongs to another key")
            segment = self.segments.setdefault(place, Segment())
            segment.mark = admit(segment.mark, epoch, segment.mark.upto + 1, ()).mark
            return segment.mark.upto

    def add(self, place: Place, epoch: int, batch: Batch) -> int:
        """Store what is new of a batch; the offset up to which the segment is stored now.

        Raises:
            WireError: Epoch or Gap; nothing was stored.
        """
        with self.changed:
            segment = self.segments[place]
            admitted = admit(segment.mark, epoch, batch.head.first, batch.items)
            numbered = list(_numbered(batch))[admitted.skip :]
            segment.items.update(numbered)
            segment.lost += admitted.lost
            segment.mark = admitted.mark
            self.changed.notify_all()
            return segment.mark.upto

    @property
    def items(self) -> list[Item | Poison]:
        """All items, segment by segment, in the order of their offsets."""
        with self.changed:
            return [item for one in self.segments.values() for item in one.items.values()]

    @property
    def tasks(self) -> list[Task]:
        """All facts about tasks, those included that a later item of their attempt tells."""
        return list(_told(item for item in self.items if isinstance(item, Task)))

    @property
    def lost(self) -> int:
        """Events reported lost."""
        with self.changed:
            return sum(one.lost for one in self.segments.values())

    def kinds(self, task_id: str) -> list[int]:
        """Kinds told of one task, in order."""
        return [task.kind for task in self.tasks if task.task_id == task_id]

    def results(self, cmd_id: bytes) -> list[Result]:
        """RESULT items of one command, in order."""
        return [i for i in self.items if isinstance(i, Result) and i.cmd_id == cmd_id]


def _told(items: Iterable[Task]) -> Iterator[Task]:
    """Each item, before it what it is the first to tell: that its attempt was received, started."""
    known: set[tuple[str, int, int, int | None]] = set()
    for item in items:
        for kind, at in ((EventKind.RECEIVED, item.received), (EventKind.STARTED, item.start)):
            key = (item.task_id, item.attempt, int(kind), at)
            is_told = kind < item.kind and (kind is EventKind.RECEIVED or item.kind in ENDS)
            if at is not None and is_told and key not in known:
                known.add(key)
                yield _before(item, kind, at)
        at = item.start if item.kind == EventKind.STARTED else item.at
        known.add((item.task_id, item.attempt, item.kind, at))
        yield item


def _before(item: Task, kind: EventKind, at: int) -> Task:
    """What an earlier fact of the same attempt had said."""
    start = item.start if kind is EventKind.STARTED else None
    return item._replace(
        kind=kind, state=STATE_OF_KIND[kind], at=at, start=start, end=None, runtime=None,
        result=None, exc_type=None, exc_message=None, traceback=None, extra=None, received=None,
        replayable_until=None,
    )  # fmt: skip


def _numbered(batch: Batch) -> Iterator[tuple[int, Item | Poison]]:
    offset = batch.head.first
    for item in batch.items:
        yield offset, item
        offset = (span(item, offset) if isinstance(item, Lost) else offset) + 1
