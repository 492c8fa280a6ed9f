"""The schedules a leader goes by. The rule: nothing is parsed before it is needed.

A row is the canonical bytes of a replica. When each is due next stands in a heap; what an edit made
out of date stays in it and is skipped when it comes up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from ..document import Replica, decoded, replica_of
from ..policy import Schedule
from .contract import Snapshot
from .glance import glance
from .shapes import shape_of

PARSED = 4_096
"""How many schedules are kept parsed."""
_DELAY = b'"mode":"fixed_delay"'


class Parsed(NamedTuple):
    """A schedule as it is planned and placed. `tracked` when it must know of its runs."""

    replica: Replica
    schedule: Schedule
    tracked: bool
    delayed: bool


class Rows(Mapping[str, bytes]):
    """Rows of a snapshot, by the ids of schedules as text."""

    def __init__(self, held: Mapping[bytes, bytes]) -> None:
        self.held = held

    def __getitem__(self, name: str) -> bytes:
        return self.held[key_of(name)]

    def __iter__(self) -> Iterator[str]:
        return map(name_of, self.held)

    def __len__(self) -> int:
        return len(self.held)


class Book:
    """Rows, and when each is due."""

    def __init__(self) -> None:
        self.rows = Rows({})
        self.last_slots: Mapping[bytes, tuple[int, int]] = {}
        self._stand = (0, 0)
        self._heap: list[tuple[int, bytes]] = []
        self._due: dict[bytes, int] = {}
        """When each comes up; entries of the heap that say another time are old."""
        self._parsed: dict[str, tuple[bytes, Parsed]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, snapshot: Snapshot) -> list[bytes]:
        """Go by a snapshot from now on; the keys of what it adds, changes or takes away."""
        new, old = snapshot.schedules, self.rows.held
        since = snapshot.changes
        if since is not None and since[0] == self._stand:
            touched = [key for key in sorted(since[1]) if old.get(key) != new.get(key)]
        else:
            touched = [key for key, data in new.items() if old.get(key) != data]
            touched += [key for key in old if key not in new]
        if old:
            for key in touched:
                self._due.pop(key, None)
                self._parsed.pop(name_of(key), None)
        self.rows, self.last_slots = Rows(new), snapshot.last_slots
        self._stand = (snapshot.era, snapshot.revision)
        return touched

    def clear(self) -> None:
        """Keep nothing: another leads."""
        self.__init__()  # type: ignore[misc]

    def seen_ms(self, name: str) -> tuple[int, ...]:
        """The last slot that the brain knows of a schedule, if it knows one."""
        found = self.last_slots.get(key_of(name)) if self.last_slots else None
        return () if found is None else (found[1],)

    def parsed(self, name: str, ended_ms: int | None = None) -> Parsed:
        """A schedule to plan by. `ended_ms`: when its last run ended, for fixed delays.

        Raises:
            KeyError: there is none of this id.
            ScheduleInvalid: its trigger cannot be built here.
        """
        data = self.rows[name]
        kept = self._parsed.pop(name, None)
        if kept is None or kept[0] is not data or kept[1].delayed:
            kept = (data, parse(data, ended_ms))
        self._parsed[name] = kept
        if len(self._parsed) > PARSED:
            del self._parsed[next(iter(self._parsed))]
        return kept[1]

    def glanced(self, name: str, ended_ms: int | None = None) -> tuple[int, Schedule, bool]:
        """Generation, what tells when it is due, and whether it waits for runs to end.

        Raises:
            KeyError, ScheduleInvalid: as `parsed`.
        """
        data, kept = self.rows[name], self._parsed.get(name)
        if _DELAY in data:
            parsed = self.parsed(name, ended_ms)
            return parsed.replica.generation, parsed.schedule, True
        if kept is not None and kept[0] is data:
            return kept[1].replica.generation, kept[1].schedule, False
        return *glance(data), False

    def push(self, name: str, due_ms: int | None) -> None:
        """Let a schedule come up at a time, and at no other; None for not any more."""
        self.push_key(key_of(name), due_ms)

    def push_key(self, key: bytes, due_ms: int | None) -> None:
        """The same for the key of its row."""
        if due_ms is None:
            self._due.pop(key, None)
            return
        self._due[key] = due_ms
        heapq.heappush(self._heap, (due_ms, key))

    def pop_due(self, now_ms: int, most: int) -> Iterator[str]:
        """Up to `most` schedules that are due, the longest due first."""
        while most > 0 and self._heap and self._heap[0][0] <= now_ms:
            due_ms, key = heapq.heappop(self._heap)
            if self._due.get(key) == due_ms:
                del self._due[key]
                most -= 1
                yield name_of(key)

    def next_due_ms(self) -> int | None:
        """When the next one comes up; None for never."""
        while self._heap:
            due_ms, key = self._heap[0]
            if self._due.get(key) == due_ms:
                return due_ms
            heapq.heappop(self._heap)
        return None


@lru_cache(maxsize=PARSED)
def key_of(name: str) -> bytes:
    """The id of a schedule as snapshots have it."""
    return bytes.fromhex(name.replace("-", ""))


def name_of(key: bytes) -> str:
    """The id of a schedule as text."""
    text = key.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse(data: bytes, ended_ms: int | None = None) -> Parsed:
    """A row, parsed.

    Raises:
        ScheduleInvalid: its trigger cannot be built here.
    """
    row = decoded(data)
    shape = shape_of(row)
    replica = replica_of(row, shape.spec)
    rules = replica.definition.rules
    delayed = _DELAY in data
    tracked = (
        delayed
        or rules.overlap != "allow"
        or rules.pause_after_failures is not None
        or rules.require_last_success
    )
    return Parsed(replica, replica.planned(ended_ms, shape.trigger), tracked, delayed)
