"""What arq does, as facts. The rule: an end is told once it is stored, and once only.

A worker is one process and one event loop: all of this runs on that loop, next to the jobs.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from arq.jobs import serialize_job
from arq.utils import timestamp_ms, to_ms, to_unix_ms
from z4j_core import Emit, EventKind, Native, Stop, TaskEvent

from . import seams
from .attempt import ATTEMPT, UNKNOWN, Attempt, death_of
from .inventory import described, id_of
from .message import pack, schedule_of
from .names import Names
from .pools import Pools

FLUSH_S = 2.0
"""How long a stopping worker waits for its facts to be sent."""
CATCH_UP_S = 2.0
"""How long a starting worker waits for what was ordered before."""
ENDED_KEPT = 1000
_HEARD = ("sent", "polling", "began", "raised", "finished", "died", "down")
_OPTIONS = ("_job_id", "_queue_name", "_defer_until", "_defer_by", "_expires", "_job_try")


class Hooks:
    """Facts of one Redis database in this process."""

    def __init__(self, place: str, emit: Emit, names: Names, pools: Pools) -> None:
        self.emit = emit
        self.names = names
        self.pools = pools
        self.workers: list[Any] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self.paused: set[str] = set()
        self.ended: deque[str] = deque(maxlen=ENDED_KEPT)
        self._begun: dict[str, Attempt] = {}
        self._unwanted: set[str] = set()
        self._asked: set[str] = set()
        self._known: dict[int, dict[str, tuple[Any, Any]]] = {}
        self._place = place
        self._guarded = guarded(self, emit)

    def plant(self) -> None:
        """Hear what arq does."""
        seams.attach(self._place, self._guarded)

    def remove(self) -> None:
        """Hear nothing any more; functions are what they were."""
        seams.detach(self._place, self._guarded)
        for worker in self.workers:
            for name, (given, mine) in self._known.pop(id(worker), {}).items():
                if worker.functions.get(name) is mine:
                    worker.functions[name] = given
        self.workers.clear()

    # Sending.

    def sent(self, redis: Any, task: str, args: Any, given: Mapping[str, Any], job: Any) -> None:
        """A job was pushed, now or for later; without a job, its id was taken already.

        Who sends may know but a name. Then positional arguments are left out, since a secret among
        them could not be told by its parameter; the start tells them.
        """
        options: dict[str, Any] = {name: given.get(name) for name in _OPTIONS}
        queue = options["_queue_name"]
        if queue is None:
            queue = redis.default_queue_name
        self.names.learn(task, queue)
        self.pools.learn(queue, redis.job_serializer)
        if job is None:
            if options["_job_id"]:
                self.emit(TaskEvent(EventKind.DEDUPED, options["_job_id"], 0, task, queue))
            return
        due_ms = due_of(options["_defer_until"], options["_defer_by"])
        self.emit(
            TaskEvent(
                EventKind.ENQUEUED if due_ms is None else EventKind.SCHEDULED,
                job.job_id,
                options["_job_try"] or 1,
                task,
                queue,
                args=args if not args or self.names.knows(task) else None,
                kwargs={name: each for name, each in given.items() if name not in _OPTIONS},
                due_at=None if due_ms is None else due_ms / 1e3,
                schedule=schedule_of(job.job_id),
            )
        )

    # Running.

    def began(self, worker: Any, task: str, ctx: Mapping[str, Any], args: Any, kwargs: Any) -> Any:
        """A job's own code is about to run, in the asyncio task this is called in."""
        attempt = ATTEMPT.get()
        if attempt is None or attempt.has_ended:
            return None
        attempt.begin(task, ctx, args, kwargs)
        job_id = ctx["job_id"]
        if job_id in self._unwanted:
            self._unwanted.discard(job_id)
            attempt.is_unwanted = True
            self._abort(worker, job_id)
        self._begun[job_id] = attempt
        self.emit.note_start(job_id)
        timeout_s = worker.functions[task].timeout_s
        self.emit(
            self._event(
                EventKind.STARTED, worker, attempt,
                timeout_s=worker.job_timeout_s if timeout_s is None else timeout_s,
            )
        )  # fmt: skip
        return attempt

    def raised(self, worker: Any, attempt: Attempt, error: BaseException) -> None:
        """It ended with an exception, which arq has not seen yet."""
        attempt.raised(error, is_aborted=attempt.job_id in worker.aborting_tasks)

    def finished(self, worker: Any, job_id: str, is_over: bool, later_ms: int | None) -> None:  # noqa: FBT001  (as arq passes it)
        """The end of an attempt whose code ran is stored."""
        attempt = ATTEMPT.get()
        self._forget(worker, job_id)
        if attempt is None or attempt.has_ended or attempt.job_id != job_id:
            return
        if not is_over:
            due_at = (attempt.score + later_ms) / 1e3 if later_ms else None
            self._end(EventKind.RETRYING, worker, attempt, error=attempt.cause, due_at=due_at)
        elif attempt.cause is None:
            self._end(EventKind.SUCCEEDED, worker, attempt, result=attempt.result)
        elif attempt.is_aborted and isinstance(attempt.cause, asyncio.CancelledError):
            detail = "operator" if job_id in self._asked else "revoked"
            self._end(EventKind.CANCELLED, worker, attempt, detail=detail)
        else:
            why = why_cut(worker, job_id) if attempt.was_cut else None
            self._end(EventKind.FAILED, worker, attempt, error=attempt.cause, detail=why)
        self._asked.discard(job_id)

    def died(self, worker: Any, job_id: str) -> None:
        """The end of a job whose code did not run is stored."""
        attempt = ATTEMPT.get()
        self._forget(worker, job_id)
        if attempt is None or attempt.has_ended:
            return
        said = attempt.said
        kind, detail = death_of(said, worker.functions)
        if said.get("function") not in (UNKNOWN, None):
            attempt.task, attempt.args = said["function"], said.get("args")
            attempt.kwargs = said.get("kwargs")
        attempt.job_id, attempt.number = job_id, said.get("job_try") or 0
        error = attempt.cause if kind is EventKind.FAILED else None
        self._end(kind, worker, attempt, error=error, detail=detail)
        self._asked.discard(job_id)

    def _event(self, kind: EventKind, worker: Any, attempt: Attempt, **more: Any) -> TaskEvent:
        return TaskEvent(
            kind, attempt.job_id or "", attempt.number, attempt.task, worker.queue_name,
            id_of(worker), attempt.args, attempt.kwargs, pid=os.getpid(),
            schedule=schedule_of(attempt.job_id or ""), **more,
        )  # fmt: skip

    def _end(self, kind: EventKind, worker: Any, attempt: Attempt, **more: Any) -> None:
        if kind not in (EventKind.SUCCEEDED, EventKind.RETRYING):
            more["native"] = native_of(worker, attempt)
        if kind is not EventKind.RETRYING:
            self.ended.append(attempt.job_id or "")
        self.emit(self._event(kind, worker, attempt, **more))
        attempt.forget()

    def _forget(self, worker: Any, job_id: str) -> None:
        """A mark must not outlive its attempt: the id may be used again."""
        worker.aborting_tasks.discard(job_id)
        self._unwanted.discard(job_id)
        self._begun.pop(job_id, None)

    # Cancelling; on the worker's loop.

    def interrupt(self, task_id: str) -> Stop:
        """Cancel the asyncio task of a job that runs here; arq stores that it was aborted."""
        for worker in self.workers:
            running = worker.job_tasks.get(task_id)
            if running is not None and not running.done():
                self._abort(worker, task_id)
                running.cancel()
                return Stop.ASKED
            taken = worker.tasks.get(task_id)
            if taken is not None and not taken.done() and task_id not in self._begun:
                self._unwanted.add(task_id)
                return Stop.ASKED
        return Stop.ALREADY if task_id in self.ended else Stop.NOT_HERE

    def _abort(self, worker: Any, task_id: str) -> None:
        worker.aborting_tasks.add(task_id)
        self._asked.add(task_id)

    # Workers.

    def polling(self, worker: Any) -> None:
        """A worker looks for jobs: the first time it is up, with functions that tell."""
        if worker not in self.workers:
            self._up(worker)
        known = self._known[id(worker)]
        for name, given in list(worker.functions.items()):
            if name not in known or known[name][1] is not given:
                self.names.know(name, given, worker.queue_name)
                mine = seams.observed(worker, given, self._guarded)
                known[name] = (given, mine)
                worker.functions[name] = mine

    def _up(self, worker: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.pools.learn(worker.queue_name, worker.job_serializer)
        self._known[id(worker)] = {}
        self.workers.append(worker)  # what it can do is told with the first connection
        self.emit.catch_up(CATCH_UP_S)
        self.emit.worker_up(described(worker))

    def down(self, worker: Any) -> None:
        """It stops, and waits a little for its facts."""
        if worker in self.workers:
            self.workers.remove(worker)
            self.emit.worker_down(id_of(worker), flush_s=FLUSH_S)

    def is_open(self, queue: str) -> bool:
        """Whether jobs of a queue may start here."""
        return queue not in self.paused and not self.emit.gate(queue).closed


def guarded(hooks: Hooks, emit: Emit) -> Any:
    """The same for arq's classes to call: what goes wrong is counted, and no job hears of it."""
    found = {name: emit.hook(getattr(hooks, name)) for name in _HEARD}
    return SimpleNamespace(is_open=hooks.is_open, **found)


def due_of(until: Any, by: Any) -> int | None:
    """When a job is due that was put off, milliseconds since 1970."""
    if until is not None:
        return to_unix_ms(until)
    return timestamp_ms() + to_ms(by) if by else None


def why_cut(worker: Any, job_id: str) -> str:
    """Why arq cancelled a job's code: its worker stops, or its time was over."""
    outer = worker.tasks.get(job_id)
    return "interrupted" if outer is not None and outer.cancelling() else "timeout"


def native_of(worker: Any, attempt: Attempt) -> Callable[[], Native] | None:
    """The message of an attempt as it was in Redis, to be numbered from one again."""
    data, task = attempt.data, attempt.task
    if data is None:
        return None
    packed = partial(pack, attempt.job_id or "", worker.queue_name, task)
    if attempt.first_try <= 1 or task is None:
        return partial(packed, data)
    renewed = partial(
        serialize_job, task, tuple(attempt.args or ()), dict(attempt.kwargs or {}), None,
        timestamp_ms(), serializer=worker.job_serializer,
    )  # fmt: skip
    return lambda: packed(renewed())
