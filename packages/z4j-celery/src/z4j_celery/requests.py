"""Which deliveries this worker holds. The rule: the first end of one counts, later ones do not.

Celery names only the task id in its events, re-uses the id across retries and may report the next
attempt before the end of this one; so an id maps to a list of deliveries, oldest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import ref

from celery._state import get_current_task

ENDED_KEPT = 4096
"""Ids of finished deliveries remembered to answer "too late": at least so many, at most twice."""


def running_here() -> str | None:
    """Id of the task whose code runs in this thread, in whichever process of a pool."""
    task = get_current_task()
    return None if task is None else task.request.id


class Run(ref[Any]):
    """A weak reference to a `celery.worker.request.Request` and what its events leave out.

    `place` is the thread or greenlet of this process that runs it, if one does.

    No `__init__` of its own: one is made per task, in the worker's loop.
    """

    __slots__ = ("place", "retries", "started", "task_id")
    place: Any
    retries: int
    started: bool
    task_id: str


class Requests:
    """Live requests by task id; used from the main process's threads without a lock."""

    __slots__ = ("_ended", "_ended_before", "_open")

    def __init__(self) -> None:
        self._open: dict[str, list[Run]] = {}
        self._ended: set[str] = set()
        self._ended_before: set[str] = set()

    def received(self, request: Any) -> Run:
        """Remember a delivery."""
        run = Run(request, self._drop)
        run.task_id = task_id = request.id
        run.retries = request.request_dict.get("retries") or 0
        run.started = False
        run.place = None
        runs = self._open.setdefault(task_id, [])
        runs.append(run)
        if self._open.get(task_id) is not runs:  # another thread just closed the empty list
            self._open.setdefault(task_id, runs)
        return run

    def start(self, task_id: str, *, retries: int | None = None) -> Run | None:
        """Mark the oldest delivery not yet started, of an attempt if it is known; return it."""
        for run in self._open.get(task_id, ()):
            if not run.started and retries in (None, run.retries):
                run.started = True
                return run
        return None

    def end(self, task_id: str, *, retries: int | None = None, newest: bool = False) -> Run | None:
        """Forget one delivery and return it, or None when there is none to end.

        With two children the next attempt may end before the end of this one is told. So who
        knows the attempt says it (`retries`); a final end is the newest's, a retry the oldest's.
        """
        run = self._ending(task_id, retries, newest=newest)
        if run is None:
            return None
        self._drop(run)
        ended = self._ended
        ended.add(task_id)
        if len(ended) >= ENDED_KEPT:
            self._ended_before, self._ended = ended, set()
        return run

    def _ending(self, task_id: str, retries: int | None, *, newest: bool) -> Run | None:
        runs = self._open.get(task_id)
        if not runs:
            return None
        if len(runs) == 1 and retries is None:
            return runs[0]
        if retries is not None:
            return next((run for run in runs if run.retries == retries), None)
        started = [run for run in runs if run.started] or runs
        return started[-1 if newest else 0]

    def live(self, task_id: str) -> Run | None:
        """Return the oldest started delivery, else the oldest, that is still held."""
        runs = self._open.get(task_id, ())
        return next((run for run in runs if run.started), next(iter(runs), None))

    def ended(self, task_id: str) -> bool:
        """Tell whether this worker saw the end of `task_id` and holds no later delivery of it."""
        if task_id in self._open:
            return False
        return task_id in self._ended or task_id in self._ended_before

    def __iter__(self) -> Iterator[Run]:
        """All deliveries held now, as a snapshot."""
        return iter([run for runs in list(self._open.values()) for run in list(runs)])

    def _drop(self, run: Run) -> None:
        runs = self._open.get(run.task_id)
        if not runs:
            return
        for place, each in enumerate(runs):
            if each is run:
                del runs[place]
                break
        if not runs:
            empty = self._open.pop(run.task_id, None)
            if empty:  # another thread has just put the next delivery into it
                kept = self._open.setdefault(run.task_id, empty)
                if kept is not empty:
                    kept[:0] = empty
