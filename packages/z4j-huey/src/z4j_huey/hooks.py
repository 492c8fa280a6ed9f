"""What Huey does, as facts. The rule: an attempt ends once, when Huey has done with it.

Signals say what becomes of an attempt, and contradict each other on the way (`error`, then
`retrying`): the end is told when `execute` returns.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from huey.api import PeriodicTask
from z4j_core import Emit, EventKind, Native, Stop, TaskEvent, Worker
from z4j_core.scheduler.fires import is_fire

from .facts import ENDINGS, call_of, epoch
from .inventory import described, leave, pool_of, slots_of, worker_id
from .live import Cancelled, Interrupted, Live, listen, unlisten
from .message import RAW, pack, read
from .seams import Seams

FLUSH_S = 0.8
"""How long a stopping worker waits for its facts: its consumer kills a child after a second."""
CATCH_UP_S = 2.0
PAUSED_S = 1.0
ENDED_KEPT = 1000
_CURRENT: ContextVar[Live | None] = ContextVar("z4j_huey_current", default=None)
"""The attempt that this thread or greenlet executes."""
_READING: ContextVar[bool] = ContextVar("z4j_huey_reading", default=False)
"""Whether it takes tasks out of the storage: one that cannot be read is lost."""
_HEARD = ("sent", "signalled", "executed", "left", "taking", "taken", "decoded", "undecodable",
          "leaves", "is_held", "given_back", "is_copy", "made", "up", "down",
          "stopped")  # fmt: skip


class Hooks:
    """Facts of one Huey instance in this process."""

    def __init__(self, huey: Any, emit: Emit) -> None:
        self.huey = huey
        self.emit = emit
        self.consumer: Any = None
        self.running: dict[int, Live] = {}
        self.leaving: deque[None] = deque()
        self.ended: deque[str] = deque(maxlen=ENDED_KEPT)
        self.worker: str | None = None
        self._pid = 0
        self._active = 0
        on: Any = SimpleNamespace(**{name: emit.hook(getattr(self, name)) for name in _HEARD})
        self._seams = Seams(huey, on)

    def plant(self) -> None:
        """Hear what this instance does."""
        self._seams.plant()

    def remove(self) -> None:
        """Hear nothing any more."""
        self._seams.remove()
        self.running.clear()
        unlisten(self.on_signal)

    # Sending.

    def sent(self, task: Any) -> None:
        """A task is in the storage; groups and chords come here again for each of their tasks.

        The retry of the one this thread runs is no new task.
        """
        if self.huey.immediate or not hasattr(task, "revoke_id") or self._own(task) is not None:
            return
        is_due = self.huey.ready_to_run(task)
        self._put(EventKind.ENQUEUED if is_due else EventKind.SCHEDULED, task)

    def _put(self, kind: EventKind, task: Any) -> None:
        call = call_of(self.huey, task)
        self.emit(
            TaskEvent(
                kind,
                task.id,
                0,
                call.task,
                self.huey.name,
                args=call.args,
                kwargs=call.kwargs,
                tries_left=task.retries,
                due_at=epoch(task.eta, utc=self.huey.utc),
                expires_at=epoch(task.expires_resolved, utc=self.huey.utc),
                priority=_whole(task.priority),
                schedule=_schedule_of(task, call.task),
            )
        )

    # Reading.

    def taking(self) -> None:
        """From here on tasks are taken out of the storage."""
        _READING.set(True)

    def taken(self) -> None:
        """No more of them."""
        _READING.set(False)

    def decoded(self, task: Any, data: Any) -> None:
        """A task was made of bytes."""
        setattr(task, RAW, data)

    def undecodable(self, data: Any, error: BaseException | None) -> None:
        """No task could be made of these bytes, which nobody else will ever see."""
        found = read(data) if _READING.get() else None
        if found is None or not found.id:
            return
        is_known = found.task in self.huey._registry._registry  # noqa: SLF001  (the only list)
        self.emit(
            TaskEvent(
                EventKind.FAILED,
                found.id,
                0,
                found.task,
                self.huey.name,
                self.worker,
                found.args,
                found.kwargs,
                error=error,
                pid=os.getpid(),
                native=partial(Native, found.task or "", bytes(data)),
                detail="undecodable" if is_known else "unregistered",
            )
        )

    def is_held(self) -> bool:
        """Whether this instance is paused; waits a little, for a storage that blocks does not."""
        gate = self.emit.gate(self.huey.name)
        return gate.closed and not gate.wait(PAUSED_S)

    def given_back(self, task: Any) -> bool:
        """Whether a task came while the instance was paused, and was put back."""
        if not self.emit.gate(self.huey.name).closed:
            return False
        self.huey.storage.enqueue(vars(task)[RAW], task.priority)
        return True

    # Running.

    def is_copy(self, task: Any) -> bool:
        """Whether another copy of this scheduled run has started, and this one is to be dropped."""
        if self.huey.immediate or not is_fire(task.id) or not self.huey.ready_to_run(task):
            return False
        return not self.emit.sole_start(task.id)

    def signalled(self, signal: str, task: Any, *rest: Any) -> None:
        """Huey says what it does with a task."""
        if self.huey.immediate:
            return
        act = _SIGNALS.get(signal)
        if act is not None:
            act(self, task)
            return
        if signal == "retrying":  # comes before it is sent again
            self.emit.starts_again(task.id)
        live = self._own(task)
        if live is not None:
            live.outcome = ENDINGS[signal]
            if rest:
                live.error = rest[0]

    def _executing(self, task: Any) -> None:
        greenlet: Any = None
        if pool_of(self.consumer) == "greenlet":
            greenlet = import_module("gevent").getcurrent()
        live = Live(task, greenlet)
        if task.id in self.emit.tombstones():  # cancelled after Huey had looked
            live.wanted = Interrupted
        live.before = _CURRENT.get()
        _CURRENT.set(live)
        self.running[id(live)] = live
        call = call_of(self.huey, task)
        self.emit(
            TaskEvent(
                EventKind.STARTED,
                live.task_id,
                0,
                call.task,
                self.huey.name,
                self.worker,
                call.args,
                call.kwargs,
                tries_left=live.tries_left,
                priority=_whole(task.priority),
                timeout_s=getattr(task, "timeout", None),
                pid=os.getpid(),
                schedule=_schedule_of(task, call.task),
            )
        )

    def executed(self, task: Any, _value: Any, error: BaseException | None) -> None:
        """Huey has the value or the exception of a task."""
        live = self._own(task)
        if live is not None:
            live.error = error

    def left(self, task: Any, raised: BaseException | None) -> None:
        """Huey has done with an attempt; what it could not finish it raised."""
        live = _CURRENT.get()
        if live is None or live.task is not task:
            return
        _CURRENT.set(live.before)
        live.forget()
        if self.running.pop(id(live), None) is None:  # detached meanwhile
            return
        kind, detail = live.outcome or (EventKind.SUCCEEDED, None)
        error = live.error
        if raised is not None and (live.outcome is None or kind is EventKind.RETRYING):
            kind, detail, error = EventKind.FAILED, None, raised
        if kind is EventKind.CANCELLED and isinstance(error, Cancelled):
            detail = "operator"
        self._end(live, kind, detail, error)

    def _end(
        self, live: Live, kind: EventKind, detail: str | None, error: BaseException | None
    ) -> None:
        if live.has_ended:
            return
        live.has_ended = True
        name = call_of(self.huey, live.task).task
        if kind is not EventKind.RETRYING:
            self.ended.append(live.task_id)
        self.emit(
            TaskEvent(
                kind,
                live.task_id,
                0,
                name,
                self.huey.name,
                self.worker,
                result=live.result if kind is EventKind.SUCCEEDED else None,
                error=None if kind is EventKind.CANCELLED else error,
                tries_left=live.tries_left,
                due_at=live.due_at,
                pid=os.getpid(),
                native=partial(pack, self.huey, live.task, name),
                detail=detail,
            )
        )

    def _scheduled(self, task: Any) -> None:
        live = self._own(task)
        if live is None:
            self._put(EventKind.SCHEDULED, task)
        else:
            live.due_at = epoch(task.eta, utc=self.huey.utc)

    def _revoked(self, task: Any) -> None:
        is_ours = task.id in self.emit.tombstones()
        self._unstarted(EventKind.CANCELLED, task, "operator" if is_ours else "revoked")

    def _expired(self, task: Any) -> None:
        self._unstarted(EventKind.EXPIRED, task, None)

    def _unstarted(self, kind: EventKind, task: Any, detail: str | None) -> None:
        call = call_of(self.huey, task)
        self.ended.append(task.id)
        self.emit(
            TaskEvent(kind, task.id, 0, call.task, self.huey.name, self.worker, call.args,
                      call.kwargs, tries_left=task.retries, pid=os.getpid(),
                      native=partial(pack, self.huey, task, call.task), detail=detail)
        )  # fmt: skip

    def _interrupted(self, task: Any) -> None:
        """A worker that stops leaves a task; told by its main thread, or by its own."""
        for live in list(self.running.values()):
            if live.task is task:
                detail = "operator" if live.wanted is not None else "interrupted"
                self._end(live, EventKind.CANCELLED, detail, None)

    def _own(self, task: Any) -> Live | None:
        """The attempt of this task that this thread executes."""
        live = _CURRENT.get()
        if live is None or live.task_id != task.id or id(live) not in self.running:
            return None
        return live

    # Stopping.

    def interrupt(self, task_id: str, error: type[BaseException]) -> Stop:
        """Stop a task that runs here; one that does not is remembered."""
        for live in list(self.running.values()):
            if live.task_id == task_id:
                is_asked = live.interrupt(self.emit.interrupt, error, self.on_signal)
                return Stop.ASKED if is_asked else Stop.ALREADY
        if task_id in self.ended:
            return Stop.ALREADY
        self.emit.tombstones().add(task_id)
        return Stop.NOT_HERE

    def on_signal(self, *_: Any) -> None:
        """The task that runs in this thread is told to stop."""
        for live in list(self.running.values()):
            if live.thread == threading.get_ident():
                live.stop()

    # The worker.

    def made(self, consumer: Any) -> None:
        """A consumer was made for this instance."""
        self.consumer = consumer

    def up(self) -> None:
        """A thread, greenlet or child of the consumer begins to work."""
        pid = os.getpid()
        if pid != self._pid:
            self._pid, self._active = pid, 0
            self.leaving.clear()
            self.running.clear()
            self.ended.clear()
            self.worker = worker_id(self.consumer)
            if pool_of(self.consumer) == "process":
                listen(self.on_signal)
        self._active += 1
        self.emit.worker_up(self.described())
        self.emit.catch_up(CATCH_UP_S)

    def leaves(self) -> bool:
        """Whether this thread or greenlet was asked to make room, or this child for another one."""
        if not self.leaving:
            return False
        with suppress(IndexError):  # another one was faster
            self.leaving.pop()
            leave(self.consumer)
            return True
        return False

    def down(self) -> None:
        """One of them ends; with the last one the worker does."""
        self._active -= 1
        if self._active == 0:
            self._leave()

    def stopped(self) -> None:
        """The consumer has stopped, whether or not its threads have."""
        if self._active and os.getpid() == self._pid:
            self._active = 0
            self._leave()

    def described(self) -> Worker:
        """Describe the worker of this process as it is now."""
        running = [live.task_id for live in list(self.running.values())]
        slots = slots_of(self.consumer) - len(self.leaving)
        return described(self.worker or "", self.consumer, self.huey.name, running, slots)

    @property
    def works(self) -> bool:
        """Whether this process consumes."""
        return self._active > 0 and os.getpid() == self._pid

    def _leave(self) -> None:
        if self.worker is not None:
            self.emit.worker_down(self.worker, flush_s=FLUSH_S)


def _schedule_of(task: Any, name: str) -> str | None:
    """A periodic task of Huey's is its own schedule, by its name."""
    return name if isinstance(task, PeriodicTask) else None


def _whole(priority: Any) -> int | None:
    return None if priority is None else int(priority)


_SIGNALS = {
    "executing": Hooks._executing,  # noqa: SLF001  (a table of this module's own)
    "scheduled": Hooks._scheduled,  # noqa: SLF001
    "revoked": Hooks._revoked,  # noqa: SLF001
    "expired": Hooks._expired,  # noqa: SLF001
    "interrupted": Hooks._interrupted,  # noqa: SLF001
}
