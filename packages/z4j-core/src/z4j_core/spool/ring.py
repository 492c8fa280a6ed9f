"""The spool of last resort: a ring in memory.

The rule: the oldest goes first and is counted; children's items are counted lost, because nobody
could read them.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..clock import Clock
from .contract import AdoptedStream, Usage
from .counts import Counters
from .roots import Storage
from .segment import LOST_MEMORY, lost_body
from .writer import FLAG_BYTES

MAX_ITEMS = 10_000
MAX_BYTES = 8 * 1024 * 1024
_SLOT = struct.Struct("<Q")
_SLOTS = FLAG_BYTES // _SLOT.size - 1


class RingSegment:
    """Items of one class, dropped from the front when there are too many."""

    def __init__(self, stream: bytes, cls: int, segment: bytes, meta: Mapping[str, Any]) -> None:
        self.stream = stream
        self.epoch = 1
        self.cls = cls
        self.segment_id = segment
        self.meta = meta
        self.first = 1
        self.last = 0
        self.finished = False
        self.bytes = 0
        self.evicted = 0
        self.seen = 0
        self.acked = 0
        self._lock = threading.Lock()
        self._items: deque[bytes] = deque()

    def push(self, body: bytes) -> bool:
        """Append unless another thread or an interrupted frame of this one is at work."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._items.append(body)
            self.bytes += len(body)
            while len(self._items) > MAX_ITEMS or self.bytes > MAX_BYTES:
                self.bytes -= len(self._items.popleft())
                self.evicted += self.first > self.acked
                self.first += 1
        finally:
            self._lock.release()
        return True

    @property
    def end(self) -> int:
        """Offset of the newest item."""
        return self.first + len(self._items) - 1

    def grew(self) -> bool:
        """Whether there are items that no read has returned."""
        return self.end > self.seen

    def read(self, after: int, max_items: int, max_bytes: int) -> list[bytes]:
        """Bodies after offset `after`; a hole at the front is spanned by one LOST item."""
        bodies: list[bytes] = []
        with self._lock:
            self.last = after
            if after + 1 < self.first:
                self.last = self.first - 1
                bodies.append(lost_body(LOST_MEMORY, self.first - 1 - after, self.first - 1))
            for index in range(self.last + 1 - self.first, len(self._items)):
                body = self._items[index]
                if len(bodies) >= max_items or (bodies and len(body) > max_bytes):
                    break
                bodies.append(body)
                max_bytes -= len(body)
                self.last += 1
            self.seen = max(self.seen, self.last)
        return bodies

    def ack(self, upto: int) -> None:
        """Forget everything up to offset `upto`."""
        with self._lock:
            self.acked = max(self.acked, upto)
            while self._items and self.first <= upto:
                self.bytes -= len(self._items.popleft())
                self.first += 1

    def after_fork(self) -> None:
        """In the child: the lock may have been held by a thread that is gone."""
        self._lock = threading.Lock()


class RingWriter:
    """Appends in the owner's process; counts in any other."""

    def __init__(self, facts: RingSegment, control: RingSegment) -> None:
        self._lanes = (facts, control)
        self._pid = os.getpid()
        self._page = mmap.mmap(-1, FLAG_BYTES)
        self._written = 0
        self._dropped = 0

    def append(self, body: bytes, /) -> bool:
        """Keep one fact; False when it was counted lost."""
        return self._push(0, body)

    def append_all(self, bodies: Sequence[bytes], /) -> None:
        """Keep several facts."""
        for body in bodies:
            self.append(body)

    def append_control(self, body: bytes, /) -> bool:
        """Keep one result or fire; False when it was counted lost."""
        return self._push(1, body)

    def _push(self, cls: int, body: bytes) -> bool:
        if os.getpid() == self._pid and self._lanes[cls].push(body):
            self._written += 1
            return True
        self._dropped += 1
        at = _SLOT.size * (1 + os.getpid() % _SLOTS)
        _SLOT.pack_into(self._page, at, _SLOT.unpack_from(self._page, at)[0] + 1)
        return False

    def dropped_by_all(self) -> int:
        """Items dropped by this process and its children; children may share a counter."""
        return sum(_SLOT.unpack_from(self._page, at)[0] for at in range(8, FLAG_BYTES, _SLOT.size))

    @property
    def shed(self) -> int:
        """What the brain asked to leave out (0-3)."""
        return self._page[0]

    def advise(self, shed: int) -> None:
        """Set what `shed` says, for children too."""
        self._page[0] = shed

    @property
    def counters(self) -> Counters:
        """Counts of this process."""
        return Counters(self._written, self._dropped, why="its memory is full")

    def close(self) -> None:
        """Nothing is held."""


class RingSpool:
    """A spool without a directory: no journal, nothing survives the process."""

    def __init__(
        self, note: str, meta: Mapping[str, Any], clock: Clock, entropy: Callable[[int], bytes]
    ) -> None:
        self.storage: Storage = "memory"
        self.note = note
        self.path = self.home = self.journal_path = ""
        self.hand = None
        self.stream = entropy(16)
        self.epoch = 1
        self._clock = clock
        self._pid = os.getpid()
        told = {**meta, "t": clock.wall_us()}
        self._segments = [RingSegment(self.stream, cls, entropy(8), told) for cls in (0, 1)]
        self.writer = RingWriter(self._segments[0], self._segments[1])
        self._told_lost = 0
        self._waiting: float | None = None

    @property
    def is_owner(self) -> bool:
        """False in a forked child."""
        return os.getpid() == self._pid

    def scan(self) -> Sequence[RingSegment]:
        """Both rings, class 1 first; what was dropped meanwhile becomes a LOST item."""
        dropped = self.writer.dropped_by_all()
        if dropped > self._told_lost:
            body = lost_body(LOST_MEMORY, dropped - self._told_lost)
            if self._segments[0].push(body):
                self._told_lost = dropped
        return [self._segments[1], self._segments[0]]

    def changed(self) -> bool:
        """Whether items were dropped that no scan has told of."""
        return self.writer.dropped_by_all() > self._told_lost

    def grew(self) -> bool:
        """Whether there are items that no read has returned."""
        return self.changed() or any(segment.grew() for segment in self._segments)

    def sync(self) -> None:
        """Nothing to do."""

    def evict(self) -> None:
        """Nothing to do: appending does it."""

    def usage(self) -> Usage:
        """Figures for a heartbeat."""
        now = self._clock.monotonic()
        held = sum(segment.bytes for segment in self._segments)
        self._waiting = (self._waiting or now) if held else None
        return Usage(
            bytes=held,
            segments=2,
            lost=self.writer.dropped_by_all(),
            evicted=sum(segment.evicted for segment in self._segments),
            oldest_age_s=now - self._waiting if self._waiting else 0.0,
        )

    def adopt(self) -> list[AdoptedStream]:
        """Nothing can be found."""
        return []

    def advise(self, shed: int) -> None:
        """Publish how much to shed (0-3) to this process and its children."""
        self.writer.advise(shed)

    def close(self, *, offline: bool) -> None:
        """What was not sent is gone."""
