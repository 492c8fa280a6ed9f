"""The schedules a leader goes by. The rule: nothing is parsed before it is needed.

A row is the canonical bytes of a replica. When each is due next stands in a heap; what an edit made
out of date stays in it and is skipped when it comes up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from ..document import Replica, read_replica
from ..policy import Schedule
from .contract import Snapshot
from .glance import glance

PARSED = 4_096
"""How many schedules are kept parsed."""
_DELAY = b'"mode":"fixed_delay"'


class Parsed(NamedTuple):
    """A schedule as it is planned and placed. `tracked` when it must know of its runs."""

    replica: Replica
    schedule: Schedule
    tracked: bool
    delayed: bool


class Book:
    """Rows, and when each is due."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}
        self.last_slots: Mapping[bytes, tuple[int, int]] = {}
        self._held: Mapping[bytes, bytes] = {}
        self._heap: list[tuple[int, str, int]] = []
        self._turns: dict[str, int] = {}
        self._parsed: dict[str, tuple[bytes, Parsed]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, snapshot: Snapshot) -> set[str]:
        """Go by a snapshot from now on; the ids of what it adds, changes or takes away."""
        new, old = snapshot.schedules, self._held
        changed = {key for key, data in new.items() if old.get(key) != data}
        gone = old.keys() - new.keys()
        self._held, self.last_slots = new, snapshot.last_slots
        touched = set()
        for key in changed:
            name = str(UUID(bytes=key))
            self.rows[name] = new[key]
            touched.add(name)
        for key in gone:
            name = str(UUID(bytes=key))
            self.rows.pop(name, None)
            touched.add(name)
        for name in touched:
            self.unpush(name)
            self._parsed.pop(name, None)
        return touched

    def clear(self) -> None:
        """Keep nothing: another leads."""
        self.__init__()  # type: ignore[misc]

    def seen_ms(self, name: str) -> tuple[int, ...]:
        """The last slot that the brain knows of a schedule, if it knows one."""
        found = self.last_slots.get(UUID(name).bytes)
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

    def push(self, name: str, due_ms: int) -> None:
        """Let a schedule come up at a time, and at no other."""
        turn = self._turns.get(name, 0) + 1
        self._turns[name] = turn
        heapq.heappush(self._heap, (due_ms, name, turn))

    def unpush(self, name: str) -> None:
        """Let a schedule not come up any more."""
        if name in self._turns:
            self._turns[name] += 1

    def pop_due(self, now_ms: int, most: int) -> Iterator[str]:
        """Up to `most` schedules that are due, the longest due first."""
        while most > 0 and self._heap and self._heap[0][0] <= now_ms:
            _, name, turn = heapq.heappop(self._heap)
            if self._turns.get(name) == turn and name in self.rows:
                most -= 1
                yield name

    def next_due_ms(self) -> int | None:
        """When the next one comes up; None for never."""
        while self._heap:
            due_ms, name, turn = self._heap[0]
            if self._turns.get(name) == turn and name in self.rows:
                return due_ms
            heapq.heappop(self._heap)
        return None


def parse(data: bytes, ended_ms: int | None = None) -> Parsed:
    """A row, parsed.

    Raises:
        ScheduleInvalid: its trigger cannot be built here.
    """
    replica = read_replica(data)
    rules = replica.definition.rules
    delayed = _DELAY in data
    tracked = (
        delayed
        or rules.overlap != "allow"
        or rules.pause_after_failures is not None
        or rules.require_last_success
    )
    return Parsed(replica, replica.planned(ended_ms), tracked, delayed)
