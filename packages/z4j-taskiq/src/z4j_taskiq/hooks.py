"""What one broker does, as facts. The rule: an attempt ends once, after its retry was sent.

taskiq sends a failed attempt again from inside that attempt, in the same asyncio task. So a message
that is sent under the id of the run that is current is its retry, and not a new task.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from taskiq.exceptions import NoResultError, TaskRejectedError
from taskiq.utils import maybe_awaitable
from z4j_core import Emit, EventKind, Native, TaskEvent, TaskFlag
from z4j_core.clock import SystemClock
from z4j_core.scheduler.fires import HEADER

from .definitions import INTERNAL
from .message import NATIVE, attempt_of, number, read, seconds
from .runs import ARRIVED, CURRENT, RETRY_LABEL, Arrived, Here, Run
from .seams import Seam
from .stores import Store
from .workers import Consumers

CATCH_UP_S = 3.0
_MARK = HEADER.encode()
FLUSH_S = 2.0
"""How long a stopping worker waits for its facts to be sent."""
MAX_QUEUES = 1000
REVOKED = f"{INTERNAL}revoked"
_HEARD = ("started", "stopped", "sending", "sent", "arrived", "unreadable", "began", "entered",
          "left", "failed", "ended", "silent")  # fmt: skip


class Asked(NamedTuple):
    """Why a message is sent, when it is an operator who sends it."""

    retry_of: str | None = None
    due_at: float | None = None


ASKED: ContextVar[Asked | None] = ContextVar("z4j_taskiq_asked", default=None)


class Hooks:
    """Facts of one broker in this process."""

    def __init__(self, store: Store, emit: Emit, here: Here, consumers: Consumers) -> None:
        self.store = store
        self.broker = store.broker
        self.emit = emit
        self.seen: dict[str, None] = {}
        self._here = here
        self._consumers = consumers
        self._clock = SystemClock()
        self._open = asyncio.Event()
        self._open.set()
        self._is_silent = asyncio.Event()
        self.seam = Seam(self.broker, guarded(self, emit))

    def plant(self) -> None:
        """Hear what the broker does."""
        self.seam.plant()

    def remove(self) -> None:
        """Hear nothing any more."""
        self.seam.remove()
        self.broker.local_task_registry.pop(REVOKED, None)

    # Sending.

    def sending(self, message: Any) -> None:
        """A message is about to be sent; under the id of what runs here it is a retry."""
        run = CURRENT.get()
        if run is not None and run.hooks is self and run.message.task_id == message.task_id:
            run.was_resent = True
        elif ASKED.get() is None:
            self._here.loop = asyncio.get_running_loop()

    def sent(self, message: Any) -> None:
        """It was sent."""
        run = CURRENT.get()
        if run is not None and run.hooks is self and run.message.task_id == message.task_id:
            return
        labels, asked = message.labels, ASKED.get() or Asked()
        queue, delay_s = self.store.queue_of(labels), self.store.delay_s(labels)
        if len(self.seen) < MAX_QUEUES:
            self.seen.setdefault(queue)
        due_at = asked.due_at
        if due_at is None and delay_s is not None:
            due_at = self._clock.wall_us() / 1e6 + delay_s
        self.emit(
            TaskEvent(
                EventKind.ENQUEUED if due_at is None else EventKind.SCHEDULED,
                message.task_id,
                attempt_of(labels),
                message.task_name,
                queue,
                args=message.args,
                kwargs=message.kwargs,
                priority=number(labels, "priority") or None,
                due_at=due_at,
                parent_id=None if run is None else run.message.task_id,
                retry_of=asked.retry_of,
                flags=self._flags,
                fire=labels.get(HEADER),
                schedule=labels.get(NATIVE),
            )
        )

    # Messages that may never become a run.

    def arrived(self, message: Any, raw: bytes) -> None:
        """A message was decoded. One that was cancelled becomes a task that ends at once."""
        ARRIVED.set(Arrived(message.task_id, raw))
        if self.broker.find_task(message.task_name) is None:
            self._lost(message.task_id, message.task_name, message, raw, "unregistered")
        elif message.task_id in self.emit.tombstones():
            ARRIVED.set(Arrived(message.task_id, raw, message.task_name))
            if self.broker.find_task(REVOKED) is None:
                self.broker.register_task(_revoked(), task_name=REVOKED)
            message.task_name = REVOKED
            message.labels[RETRY_LABEL] = False
            (message.labels_types or {}).pop(RETRY_LABEL, None)

    def unreadable(self, raw: bytes) -> None:
        """A message could not be decoded; taskiq drops it or leaves it where it is."""
        call = read(raw)
        if call.task_id is not None:
            self._lost(call.task_id, call.task, None, raw, "undecodable")

    def _lost(self, task_id: str, task: str | None, message: Any, raw: bytes, detail: str) -> None:
        labels = {} if message is None else message.labels
        self.emit(
            TaskEvent(
                EventKind.FAILED,
                task_id,
                attempt_of(labels),
                task,
                self.store.queue_of(labels),
                self._consumers.id,
                None if message is None else message.args,
                None if message is None else message.kwargs,
                native=partial(Native, task or "", raw),
                detail=detail,
            )
        )

    # Running.

    def began(self, message: Any) -> None:
        """An attempt begins in this asyncio task."""
        arrived = ARRIVED.get()
        if arrived is not None and arrived.task_id != message.task_id:
            arrived = None
        run = Run(self, message, arrived)
        run.attempt = attempt_of(message.labels)
        run.retries = number(message.labels, "_retries")
        run.requeues = number(message.labels, "X-Taskiq-requeue")
        run.before = message.labels.get(RETRY_LABEL)
        CURRENT.set(run)
        self._here.loop = run.loop
        if run.task is not None:
            run.task.add_done_callback(run.hooks.seam.heard.fell)
        if run.revoked is not None:
            return
        task = self.broker.find_task(message.task_name)
        run.is_sync = task is not None and not inspect.iscoroutinefunction(task.original_func)
        self._here.runs[message.task_id] = run
        self.emit(self._event(run, EventKind.STARTED))
        run.is_told = True

    def entered(self, message: Any) -> None:
        """The task's own code comes next."""
        run = self._current()
        if run is not None:
            run.enter(message)

    def left(self) -> None:
        """It is over."""
        run = self._current()
        if run is not None:
            run.leave()

    def failed(self, error: BaseException) -> None:
        """The task raised."""
        run = self._current()
        if run is not None:
            run.error = error

    def ended(self, message: Any, result: Any) -> None:
        """All middlewares have seen the end."""
        run = self._current()
        if run is None:
            return
        kind, detail = self._outcome(run, message, result)
        CURRENT.set(run.outer)
        if kind is EventKind.SUCCEEDED:
            self._end(run, kind, detail, result=result.return_value)
        else:
            self._end(run, kind, detail, error=run.error or result.error)

    def fell(self, task: Any) -> None:
        """The asyncio task of a run is over. If the run is not, something in between raised."""
        for run in [each for each in self._here.runs.values() if each.task is task]:
            if task.cancelled():
                self._end(run, EventKind.CANCELLED, "interrupted")
            else:
                error = getattr(task, "_exception", None)  # asking would hide it from asyncio's log
                self._end(run, EventKind.FAILED, None, error=error)

    def _outcome(self, run: Run, message: Any, result: Any) -> tuple[EventKind, str | None]:
        error = run.error or result.error
        if not result.is_err:
            return EventKind.SUCCEEDED, None
        if run.revoked is None and self._is_retried(run, message, error, result.error):
            return EventKind.RETRYING, None
        if run.revoked is not None or run.is_wanted:
            return EventKind.CANCELLED, "abandoned" if run.is_sync else "operator"
        if isinstance(error, NoResultError):
            return EventKind.SUCCEEDED, "ignored"
        if isinstance(error, asyncio.CancelledError):
            return EventKind.CANCELLED, "interrupted"
        return EventKind.FAILED, _why(error, message.labels)

    def _is_retried(self, run: Run, message: Any, error: Any, left: Any) -> bool:
        """Whether the message was sent again, requeued, or put into a schedule.

        Who puts it into a schedule says so by an error that is not the task's (`left`), or else by
        the count of retries, which others raise at the last attempt too.
        """
        labels = message.labels
        if run.was_resent or number(labels, "X-Taskiq-requeue") > run.requeues:
            return True
        if isinstance(left, NoResultError) and not isinstance(error, NoResultError):
            return True
        has_source = any(getattr(m, "schedule_source", None) for m in self.broker.middlewares)
        return has_source and number(labels, "_retries") > run.retries

    def _end(self, run: Run, kind: EventKind, detail: str | None, **more: Any) -> None:
        if run.is_ended:
            return
        run.is_ended = True
        if run.task is not None:
            run.task.remove_done_callback(self.seam.heard.fell)
        task_id = run.message.task_id
        if self._here.runs.get(task_id) is run:
            del self._here.runs[task_id]
        if kind is not EventKind.RETRYING:
            self._here.ended.append(task_id)
        if kind not in (EventKind.RETRYING, EventKind.SUCCEEDED):
            more["native"] = self._native(run)
        if kind is EventKind.SUCCEEDED and run.is_told:  # the core repeats what the start said
            told = TaskEvent(kind, task_id, run.attempt, flags=self._flags, detail=detail, **more)
            self.emit(told)
        else:
            self.emit(self._event(run, kind)._replace(detail=detail, **more))

    def _event(self, run: Run, kind: EventKind) -> TaskEvent:
        message = run.message
        return TaskEvent(
            kind,
            message.task_id,
            run.attempt,
            run.revoked or message.task_name,
            self.store.queue_of(message.labels),
            self._consumers.id,
            message.args,
            message.kwargs,
            priority=number(message.labels, "priority") or None,
            timeout_s=seconds(message.labels, "timeout"),
            pid=os.getpid(),
            flags=self._flags,
            fire=message.labels.get(HEADER),
            schedule=message.labels.get(NATIVE),
        )

    def _native(self, run: Run) -> Callable[[], Native]:
        name = run.revoked or run.message.task_name
        if run.raw is not None:
            return partial(Native, name, run.raw)
        return lambda: Native(name, self.broker.formatter.dumps(run.message).message)

    def _current(self) -> Run | None:
        run = CURRENT.get()
        return run if run is not None and run.hooks is self else None

    @property
    def _flags(self) -> int:
        return int(TaskFlag.EAGER) if self.store.is_eager else 0

    # Consuming.

    def started(self) -> None:
        """The broker starts in this event loop."""
        self._here.loop = asyncio.get_running_loop()

    def stopped(self) -> None:
        """It stops, and waits a little for its facts."""
        self._consumers.down(self, FLUSH_S)

    async def listening(self) -> None:
        """The broker begins to consume: what was ordered before holds from the first message on."""
        self._here.loop = asyncio.get_running_loop()
        self._open, self._is_silent = asyncio.Event(), asyncio.Event()
        self._consumers.join(self)
        await asyncio.to_thread(self.emit.catch_up, CATCH_UP_S)
        if not any(self.emit.gate(queue).closed for queue in self.store.queues):
            self._open.set()
        self._consumers.up()

    def silent(self) -> None:
        """It consumes no more."""
        self._is_silent.set()

    @property
    def is_paused(self) -> bool:
        """Whether messages are left where they are."""
        return not self._open.is_set()

    def shut(self) -> None:
        """Take no more messages."""
        self._open.clear()

    def reopen(self) -> None:
        """Take messages again."""
        self._open.set()

    async def opened(self) -> None:
        """Wait until messages may be taken."""
        await self._open.wait()

    async def may_pass(self, message: Any) -> bool:
        """Whether a message goes on. One that a pause overtook goes back, or waits here."""
        if self.is_paused and await asyncio.to_thread(self.emit.hook(self.store.put_back), message):
            return False
        await self._open.wait()
        return not await self._is_copy(message)

    async def _is_copy(self, message: Any) -> bool:
        """Whether another copy of this scheduled run has started: this one is dropped as done.

        A middleware could only make it fail, and its result would replace that of the first copy.
        """
        raw = getattr(message, "data", message)
        if _MARK not in raw:
            return False
        call = read(raw, self.broker.serializer)
        mark = (call.labels or {}).get(HEADER)
        if call.task_id is None or mark is None:
            return False
        if await asyncio.to_thread(self.emit.first_start, call.task_id, mark):
            return False
        if hasattr(message, "ack"):
            await maybe_awaitable(message.ack())
        return True

    async def silence(self, timeout_s: float) -> None:
        """Wait until nothing is read any more."""
        await asyncio.wait_for(self._is_silent.wait(), timeout_s)


def guarded(hooks: Hooks, emit: Emit) -> Any:
    """The same for taskiq to call: what goes wrong is counted, and no task hears of it."""
    found: dict[str, Any] = {name: emit.hook(getattr(hooks, name)) for name in _HEARD}
    found |= {name: getattr(hooks, name) for name in ("listening", "opened", "may_pass")}
    return SimpleNamespace(**found, fell=emit.hook(hooks.fell))


def _why(error: Any, labels: Mapping[str, Any]) -> str | None:
    """Why an attempt failed, where it was not the task's own doing."""
    if isinstance(error, TimeoutError) and labels.get("timeout") is not None:
        return "timeout"
    return "rejected" if isinstance(error, TaskRejectedError) else None


def _revoked() -> Any:
    """A function that stands for a cancelled task: a new one each time, taskiq renames it."""

    async def revoked(*_args: Any, **_kwargs: Any) -> None:
        await asyncio.sleep(0)
        raise TaskRejectedError

    return revoked
