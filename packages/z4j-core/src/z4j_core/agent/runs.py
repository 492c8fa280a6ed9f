"""Runs that are open in this process. The rule: a later fact repeats what earlier ones said."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar
from itertools import islice
from typing import Any, NamedTuple

from ..model.tasks import ENDS, EventKind, TaskEvent

MAX_OPEN = 50_000
_STARTED = EventKind.STARTED
_OPENING = frozenset({EventKind.RECEIVED, EventKind.STARTED})
NAME = 9
"""Position of the task's name in an item."""

CURRENT: ContextVar[str | None] = ContextVar("z4j_current_run", default=None)
"""Id of the task whose code runs in this thread, greenlet or asyncio task."""


class Origin(NamedTuple):
    """Why an enqueue happens, when it is not the app's own doing.

    Of a fire: its schedule (a UUID as text), its id and its slot in ms.
    """

    via: int
    cmd_id: bytes | None = None
    retry_of: str | None = None
    schedule: str | None = None
    fire_id: bytes | None = None
    slot: int | None = None


BY_SCHEDULE, BY_NATIVE = 3, 5
"""`via` of a fire, and of a run that a scheduler of the engine sent."""


ORIGIN: ContextVar[Origin | None] = ContextVar("z4j_origin", default=None)


class Run:
    """One attempt from when it was received: its item's positions and, once started, since when.

    `positions` are those of the last item of this run; `since` is monotonic, in seconds;
    `received_us` is since when the worker had it, for the first item that tells of the run.
    """

    __slots__ = ("positions", "received_us", "since")

    def __init__(self, positions: list[Any]) -> None:
        self.positions = positions
        self.received_us: int | None = None
        self.since: float | None = None


class LiveRuns:
    """Open runs by task id and attempt, bounded in number."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._open: dict[tuple[str, int], Run] = {}
        self._pid = os.getpid()

    def __len__(self) -> int:
        return sum(run.since is not None for run in list(self._open.values()))

    def name_of(self, task_id: str) -> str | None:
        """Name of the task of an open run."""
        for (open_id, _), run in list(self._open.items()):
            if open_id == task_id:
                name: str | None = run.positions[NAME]
                return name
        return None

    def of(self, event: TaskEvent, blank: list[Any]) -> Run:
        """The run an event tells of; a new one has the positions of `blank`."""
        kind = event.kind
        key = (event.task_id, event.attempt)
        if kind in ENDS:
            return self._ended(key) or Run(blank.copy())
        if kind not in _OPENING:
            return Run(blank.copy())
        run = self._open.get(key)
        if kind is not _STARTED and run is not None and run.since is not None:
            return Run(blank.copy())  # told late, or handed out once more: no part of that run
        if run is None:
            run = self._begun(key, blank)
        if kind is _STARTED:
            run.since = self._monotonic()
            if event.pid is None or event.pid == self._pid:
                CURRENT.set(key[0])
        return run

    def _begun(self, key: tuple[str, int], blank: list[Any]) -> Run:
        if len(self._open) >= MAX_OPEN:
            self._expire()
        run = self._open[key] = Run(blank.copy())
        return run

    def _ended(self, key: tuple[str, int]) -> Run | None:
        if CURRENT.get() == key[0]:
            CURRENT.set(None)
        return self._open.pop(key, None)

    def spent_us(self, run: Run) -> int | None:
        """Microseconds since a run started; None when its start was not seen."""
        return None if run.since is None else int((self._monotonic() - run.since) * 1e6)

    def forget_all(self) -> None:
        """Runs of the parent are not ours after a fork."""
        self._open.clear()
        self._pid = os.getpid()

    def _expire(self) -> None:
        """Forget the oldest tenth at once: one by one, each event would pay for all the others."""
        for key in list(islice(self._open, MAX_OPEN // 10)):
            self._open.pop(key, None)
