"""Runs of schedules that must know of them. The rule: who runs it says so, and says when it ended.

A leader asks the store which runs go on, for `overlap`, failures in a row and fixed delays. Facts
of fires name no schedule where messages carry none, so it is looked up among the runs that the
leader noted as sent. Schedules that need nothing of this cost nothing.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgpack

from ...errors import StoreUnavailable
from ...model.tasks import EventKind
from ...scheduler.lease import LeaseStore
from ..items import TAG_TASK, Source

REFRESH_S = 30.0
LONGEST_S = 86_400.0
"""A run that began so long ago is not told of any more."""
_TRIES = 10
_MOST = 10_000
_NEEDS = re.compile(
    rb'"(?:overlap|pause_after_failures|require_last_success)":|"mode":"fixed_delay"'
)
"""What rows name that is not as usual, where runs matter to a schedule."""
_FIRE = re.compile(rb"\xd9\x24[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-")
_HEAD_BYTES = 400
"""More than what stands before the task's id in an item."""
_STARTS = frozenset({EventKind.STARTED})
_WAITS = frozenset({EventKind.RETRYING, EventKind.REDELIVERED, EventKind.REQUEUED})
_FAILS = frozenset({EventKind.FAILED, EventKind.EXPIRED, EventKind.LOST, EventKind.DEAD_LETTERED})
_GOOD = frozenset({EventKind.SUCCEEDED, EventKind.CANCELLED})
Tracked = Mapping[str, frozenset[str]]
"""Schedules that need to know of their runs, by name of their task."""


def tracked(schedules: Mapping[bytes, bytes]) -> Tracked:
    """Which schedules need to know of their runs; the others are not even parsed.

    Those of a newer brain may be unreadable here.
    """
    found: dict[str, set[str]] = {}
    for data in schedules.values():
        if _NEEDS.search(data):
            with contextlib.suppress(ValueError, TypeError, KeyError):
                row = json.loads(data)
                found.setdefault(str(row["task"]), set()).add(str(row["id"]))
    return {task: frozenset(ids) for task, ids in found.items()}


class Seen(NamedTuple):
    """A fact of a fire."""

    kind: int
    fire_id: str
    task: str
    at: float


def seen_in(body: bytes, source: Source, now: float) -> Seen | None:
    """The fact of a fire in an item; None for anything else, which is told without decoding it."""
    if _FIRE.search(body, 0, _HEAD_BYTES) is None:
        return None
    item = msgpack.unpackb(body)
    if item[0] != TAG_TASK or (item[4], item[5]) != source or not _is_fire(item[6]):
        return None
    return Seen(item[1], item[6], item[9] or "", now)


def _is_fire(task_id: object) -> bool:
    return isinstance(task_id, str) and task_id[14:15] == "5"


class Runs:
    """What this process knows of runs of one group; facts come from one thread, work is another's.

    `monotonic` in seconds.
    """

    def __init__(self, source: Source, monotonic: Callable[[], float]) -> None:
        self._source = source
        self._monotonic = monotonic
        self._facts: deque[tuple[Seen, int]] = deque(maxlen=_MOST)
        self._schedules: dict[str, str] = {}
        self._going: dict[str, tuple[float, float]] = {}
        """Fire to when it began and when that was said last."""
        self.tracked: Tracked = {}
        self.ended: Callable[[str], object] = bool
        """Hears of which schedule a run ended."""

    @property
    def has_work(self) -> bool:
        """Whether there is anything to say."""
        return bool(self._facts)

    @property
    def due_s(self) -> float:
        """Seconds until a run that goes on has to be said again."""
        if not self._going:
            return REFRESH_S
        oldest = min(said for _, said in self._going.values())
        return max(0.0, oldest + REFRESH_S - self._monotonic())

    def note(self, body: bytes) -> bool:
        """Look at an item; whether it is of a run that has to be told."""
        if not self.tracked:
            return False
        seen = seen_in(body, self._source, self._monotonic())
        if seen is None or not self._wanted(seen):
            return False
        self._facts.append((seen, 0))
        return True

    def work(self, store: LeaseStore) -> None:
        """Tell the store what was seen, and what still goes on.

        Raises:
            StoreUnavailable: the rest is told later.
        """
        for _ in range(len(self._facts)):
            seen, tries = self._facts.popleft()
            try:
                if not self._tell(store, seen) and tries < _TRIES:
                    self._facts.append((seen, tries + 1))
            except StoreUnavailable:
                self._facts.appendleft((seen, tries))
                raise
        now = self._monotonic()
        for fire_id, (since, said) in list(self._going.items()):
            if now - since > LONGEST_S:
                self._forget(fire_id)
            elif now - said >= REFRESH_S:
                store.run_started(self._schedules[fire_id], fire_id, started=True)
                self._going[fire_id] = (since, now)

    def _wanted(self, seen: Seen) -> bool:
        return seen.fire_id in self._schedules or seen.task in self.tracked

    def _tell(self, store: LeaseStore, seen: Seen) -> bool:
        """Whether it could be told: the run's schedule is known."""
        schedule = self._schedules.get(seen.fire_id) or self._found(store, seen)
        if schedule is None:
            return False
        if seen.kind in _STARTS:
            self._schedules[seen.fire_id] = schedule
            store.run_started(schedule, seen.fire_id, started=True)
            self._going[seen.fire_id] = (seen.at, self._monotonic())
        elif seen.kind in _WAITS:
            store.run_started(schedule, seen.fire_id, started=False)
            self._forget(seen.fire_id)
        elif seen.kind in _FAILS or seen.kind in _GOOD:
            store.run_ended(schedule, seen.fire_id, failed=seen.kind in _FAILS)
            self._forget(seen.fire_id)
            self.ended(schedule)
        return True

    def _found(self, store: LeaseStore, seen: Seen) -> str | None:
        for schedule in self.tracked.get(seen.task, ()):
            if any(run.fire_id == seen.fire_id for run in store.running(schedule)):
                return schedule
        return None

    def _forget(self, fire_id: str) -> None:
        self._schedules.pop(fire_id, None)
        self._going.pop(fire_id, None)
