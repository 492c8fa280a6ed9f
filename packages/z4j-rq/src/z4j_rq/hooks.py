"""What RQ does, as facts. The rule: an attempt ends once, told by the first that knows.

Sending and performing are heard in the process that does them: a horse writes its own start and
end. Of a horse that died its worker tells, from outside.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from functools import partial
from threading import get_ident
from types import SimpleNamespace
from typing import Any

from rq.worker import BaseWorker, SimpleWorker
from z4j_core import Emit, EventKind, Stop, TaskEvent, Worker

from . import seams
from .facts import (
    cron_here,
    detail_of,
    epoch,
    given_call,
    live_call,
    spent_s,
    task_of,
    told_of,
    word,
)
from .inventory import described, pool_of
from .live import LIVE, SIGNAL, Live, kill, listen, unlisten
from .message import pack
from .names import Names
from .spawned import adopt, lend, withdraw

FLUSH_S = 2.0
"""How long a stopping worker waits for its facts to be sent."""
ENDED_KEPT = 1000
MAX_QUEUES = 1000
_HEARD = ("sent", "taken", "began", "done", "succeeded", "failed", "returned_retry", "cancelled",
          "up", "down", "idle", "forking", "forked")  # fmt: skip
_PUT_OFF = ("deferred", "rate_limited")
_WAITING = ("queued", "scheduled", "deferred", "rate_limited", "created", "ready_to_enqueue")


class Hooks:
    """Facts of one Redis database in this process."""

    def __init__(
        self, place: str, emit: Emit, names: Names, ours: set[str], serializers: dict[str, Any]
    ) -> None:
        self.emit = emit
        self.names = names
        self.ours = ours
        self.serializers = serializers
        self.worker: Any = None
        self.paused: set[str] = set()
        self.current: str | None = None
        self.ended: deque[str] = deque(maxlen=ENDED_KEPT)
        self._wanted: str | None = None
        self._had_horse = False
        self._place = place
        self._guarded = guarded(self, emit)

    def plant(self) -> None:
        """Hear what RQ does; a spawned horse writes where its worker does."""
        adopt(self.emit)
        seams.attach(self._place, self._guarded)

    def remove(self) -> None:
        """Hear nothing any more."""
        seams.detach(self._place, self._guarded)
        unlisten()

    # Sending.

    def sent(self, queue: Any, job: Any, due: Any) -> None:
        """A job was pushed or put off; the retry of the one this thread performs is no new job.

        A worker in another thread may have begun with it before its sender comes to tell.
        """
        live = LIVE.get(job.id)
        if live is not None and live.thread == get_ident():
            live.due_at = epoch(due)
            return
        if job.id in self.ours:
            return
        call, status = given_call(job), word(job.get_status(refresh=False))
        is_off = due is not None or status in _PUT_OFF
        self.names.learn(call.task, queue.name)
        self._serialized(queue)
        self.emit(
            TaskEvent(
                EventKind.SCHEDULED if is_off else EventKind.ENQUEUED,
                job.id,
                0,
                call.task,
                queue.name,
                args=call.args,
                kwargs=call.kwargs,
                tries_left=job.retries_left,
                due_at=epoch(due),
                detail=status if due is None and is_off else None,
                schedule=cron_here(),
            )
        )

    def cancelled(self, job: Any, before: str | None) -> None:
        """A job was cancelled while it waited; one that runs goes on."""
        if job.id in self.ours or word(before) not in _WAITING:
            return
        native = partial(pack, job)
        self.emit(
            TaskEvent(EventKind.CANCELLED, job.id, 0, task_of(job), job.origin, native=native,
                      detail="revoked")
        )  # fmt: skip

    # Running.

    def began(self, worker: Any, job: Any) -> None:
        """A worker begins to perform a job."""
        LIVE[job.id] = Live(worker, job)
        if worker.is_horse:
            self.names.in_horse()
        if worker.is_horse or isinstance(worker, SimpleWorker):
            listen()
        call = live_call(job)
        self.names.learn(call.task, job.origin)
        self.emit(
            TaskEvent(
                EventKind.STARTED,
                job.id,
                0,
                call.task,
                job.origin,
                worker.name,
                call.args,
                call.kwargs,
                tries_left=job.retries_left or 0,
                timeout_s=job.timeout if job.timeout and job.timeout > 0 else None,
                pid=os.getpid(),
            )
        )

    def done(self, job: Any) -> None:
        """It is over, whatever came of it."""
        live = LIVE.pop(job.id, None)
        if live is not None:
            live.forget()

    def succeeded(self, worker: Any, job: Any, repeats: int) -> None:
        """The result is stored; a job that repeats waits again."""
        live = LIVE.get(job.id)
        self._end(EventKind.SUCCEEDED, worker, job, result=job._result)  # noqa: SLF001  (a copy would be loaded)
        if repeats:
            due = live.due_at if live is not None else None
            self.emit(TaskEvent(EventKind.REQUEUED, job.id, 0, queue=job.origin, due_at=due))

    def failed(self, worker: Any, job: Any, before: tuple[bool, int], text: str) -> None:
        """The failure is stored: stopped, to be retried, or for good."""
        was_stopped, left = before
        error = told_of(sys.exc_info()[1], text)
        if was_stopped:
            self._end(EventKind.CANCELLED, worker, job, native=partial(pack, job),
                      detail="operator")  # fmt: skip
        elif left > 0:
            self._end(EventKind.RETRYING, worker, job, error=error, tries_left=left)
        else:
            self._end(EventKind.FAILED, worker, job, error=error, native=partial(pack, job),
                      detail=detail_of(error))  # fmt: skip

    def returned_retry(self, worker: Any, job: Any) -> None:
        """The job returned a `Retry`; at the maximum RQ fails it."""
        if word(job.get_status(refresh=False)) == "failed":
            self._end(EventKind.FAILED, worker, job, native=partial(pack, job),
                      detail="retries_exhausted")  # fmt: skip
        else:
            self._end(EventKind.RETRYING, worker, job)

    def _end(self, kind: EventKind, worker: Any, job: Any, **more: Any) -> None:
        live = LIVE.get(job.id)
        if live is None:
            self._end_from_outside(kind, worker, job, more)
            return
        if live.has_ended:
            return
        live.has_ended = True
        call = live_call(job)
        if kind is EventKind.RETRYING:
            more["due_at"] = live.due_at
        self.emit(
            TaskEvent(kind, job.id, 0, call.task, job.origin, worker.name, call.args, call.kwargs,
                      pid=os.getpid(), **more)
        )  # fmt: skip

    def _end_from_outside(
        self, kind: EventKind, worker: Any, job: Any, more: dict[str, Any]
    ) -> None:
        """Without a start: the brain closes the attempt that this worker has open."""
        self.emit(
            TaskEvent(kind, job.id, 0, task_of(job), job.origin, worker.name,
                      runtime_s=spent_s(job), **more)
        )  # fmt: skip

    # The worker.

    def up(self, worker: BaseWorker) -> None:
        """This process consumes from now on."""
        self.worker = worker
        for queue in worker.queues:
            self._serialized(queue)
        self.emit.worker_up(self.described())

    def down(self, worker: BaseWorker) -> None:
        """It stops, and waits a little for its facts."""
        self.emit.worker_down(worker.name, flush_s=FLUSH_S)
        self.worker = None

    def described(self) -> Worker:
        """Describe the worker of this process as it is now."""
        return described(self.worker, self.current)

    def idle(self) -> None:
        """The worker of this process looks for a job: the one before is over."""
        if self.current is not None:
            self.ended.append(self.current)
            self.current = None

    def taken(self, job: Any) -> None:
        """It took a job off a queue."""
        self._had_horse, self._wanted = False, None
        self.current = job.id
        self.emit.note_start(job.id)
        self.names.note(job._data, job.origin)  # noqa: SLF001  (the property decodes)

    def forking(self, worker: Any) -> None:
        """A horse is about to be made."""
        if pool_of(worker) == "spawn":
            lend(self.emit)

    def forked(self, worker: Any, job: Any) -> None:
        """It was; if the job was cancelled meanwhile, it is told."""
        withdraw()
        self._had_horse = True
        if self._wanted == job.id and worker.horse_pid:
            kill(worker.horse_pid, SIGNAL, group=False)

    def tell_horse(self, task_id: str) -> Stop:
        """Cancel the job that was taken last, whether its horse is there yet or not."""
        self._wanted = task_id
        horse = self.worker.horse_pid
        if horse and self.current == task_id:
            return kill(horse, SIGNAL, group=False)
        return Stop.ALREADY if self._had_horse else Stop.ASKED

    def is_paused(self, queue: str) -> bool:
        """Whether jobs of a queue are left where they are."""
        return queue in self.paused

    def _serialized(self, queue: Any) -> None:
        if len(self.serializers) < MAX_QUEUES:
            self.serializers.setdefault(queue.name, queue.serializer)


def guarded(hooks: Hooks, emit: Emit) -> Any:
    """The same for RQ's classes to call: what goes wrong is counted, and no job hears of it."""
    found = {name: emit.hook(getattr(hooks, name)) for name in _HEARD}
    return SimpleNamespace(is_paused=hooks.is_paused, **found)
