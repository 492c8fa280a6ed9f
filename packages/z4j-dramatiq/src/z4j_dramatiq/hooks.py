"""What Dramatiq does, as facts. The rule: an attempt ends once, told when all others have decided.

Methods have the names and the parameters of the signals they hear. The retry of a message is sent
by the thread that processes it, under the same id: that is no new task.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from dramatiq.common import q_name
from dramatiq.errors import ActorNotFound, RateLimitExceeded
from dramatiq.middleware import AgeLimit, SkipMessage, TimeLimitExceeded
from z4j_core import Emit, EventKind, Gate, Stop, TaskEvent, TaskFlag, Worker
from z4j_core.scheduler.fires import HEADER

from . import live, seams
from .gated import Gated
from .inventory import described, worker_id
from .live import NOT_RETRIED, Cancelled
from .message import attempt_of, is_fixed, pack

CATCH_UP_S = 2.0
"""How long a worker that starts waits for what was cancelled and paused before."""
FLUSH_S = 2.0
"""How long a stopping worker waits for its facts to be sent."""
ENDED_KEPT = 1000
_DETAILS: dict[type[BaseException], str] = {
    TimeLimitExceeded: "timeout",
    RateLimitExceeded: "rate_limited",
}
_FIRST = ("after_enqueue", "after_process_message", "after_skip_message", "after_nack",
          "after_consumer_thread_boot", "before_consumer_thread_shutdown", "before_worker_boot",
          "after_worker_boot", "after_worker_shutdown")  # fmt: skip


class Hooks:
    """Facts of one broker in this process."""

    def __init__(self, broker: Any, emit: Emit) -> None:
        self.broker = broker
        self.emit = emit
        self.worker: Any = None
        self.is_stopping = False
        self.ended: deque[str] = deque(maxlen=ENDED_KEPT)
        self._tombstones = emit.tombstones()
        self._consumers: set[int] = set()
        self._again: dict[str, str | None] = {}
        self._held: set[int] = set()
        self._dropped: set[int] = set()
        self._gates: dict[str, Gate] = {}
        told = {name: emit.hook(getattr(self, name)) for name in _FIRST}
        told["before_process_message"] = emit.hook(self.let_pass, raises=(SkipMessage,))
        self._first = seams.Heard(told)
        self._last = seams.Heard({"before_process_message": emit.hook(self.began)})

    def plant(self) -> None:
        """Hear what the broker does."""
        seams.surround(self.broker, self._first, self._last)
        seams.gate_consumers(self.broker, self._gated)
        seams.watch_actors(self)

    def remove(self) -> None:
        """Hear nothing any more."""
        seams.unwatch_actors(self)
        seams.ungate_consumers(self.broker)
        seams.withdraw(self.broker, self._first, self._last)

    # Sending.

    def after_enqueue(self, _broker: Any, message: Any, delay: int | None) -> None:
        """A message was sent, put off, or has become due and was sent by its consumer."""
        task_id, due_at = message.message_id, _seconds(message.options.get("eta"))
        running = live.here()
        if running is not None and running.message.message_id == task_id:
            running.is_resent, running.due_at = True, due_at
            return
        attempt = attempt_of(message)
        if attempt > 1 and threading.get_ident() in self._consumers:
            return  # a retry is due: its start says so
        kind = EventKind.ENQUEUED if delay is None else EventKind.SCHEDULED
        retry_of = self._again.get(task_id)
        if task_id in self._again and retry_of is None:
            kind = EventKind.REQUEUED
        self.emit(
            TaskEvent(
                kind,
                task_id,
                attempt,
                message.actor_name,
                q_name(message.queue_name),
                args=message.args,
                kwargs=message.kwargs,
                due_at=None if delay is None else due_at,
                expires_at=_expiry(message),
                priority=message.options.get("broker_priority"),
                retry_of=retry_of,
                fire=message.options.get(HEADER),
            )
        )

    @contextmanager
    def sending_again(self, task_id: str, retry_of: str | None) -> Iterator[None]:
        """What is sent in here is the retry of another run, or with None the same run once more."""
        self._again[task_id] = retry_of
        try:
            yield
        finally:
            del self._again[task_id]

    # Running.

    def let_pass(self, _broker: Any, message: Any) -> None:
        """Hold back what is paused and skip what was cancelled, before anybody else looks at it.

        Raises:
            SkipMessage: it does not start now.
        """
        if self.is_closed(q_name(message.queue_name)) and self._is_gated(message):
            self._held.add(id(message))
            raise SkipMessage("its queue is paused")
        if self._tombstones and message.message_id in self._tombstones:
            raise SkipMessage("it was cancelled")
        mark = message.options.get(HEADER)
        if mark is not None and not self.emit.first_start(message.message_id, mark):
            self._dropped.add(id(message))
            message.options["store_results"] = False  # that of the first copy stays
            raise SkipMessage("another copy of this fire has started")

    def began(self, _broker: Any, message: Any) -> None:
        """Nobody skipped it: its actor is called next."""
        if message.failed:
            return
        running = live.begin(message, attempt_of(message))
        if not is_fixed(message):
            running.native = pack(message)
        if self._tombstones and message.message_id in self._tombstones:
            running.interrupt(self.emit.interrupt)
        call = {"args": message.args, "kwargs": message.kwargs}
        self.emit(self._told(EventKind.STARTED, message, running, **call))

    def after_process_message(
        self,
        _broker: Any,
        message: Any,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """It is over; a retry, if there is one, has been sent."""
        running = live.leave(message)
        if message.options.get("throws") is NOT_RETRIED:
            del message.options["throws"]
        if isinstance(exception, Cancelled):
            self._end(EventKind.CANCELLED, message, running, detail="operator")
        elif exception is None and not message.failed:
            self._end(EventKind.SUCCEEDED, message, running, result=result)
        elif exception is not None and running is not None and running.is_resent:
            self._end(EventKind.RETRYING, message, running, error=exception, due_at=running.due_at)
        else:
            detail = _DETAILS.get(type(exception)) if exception is not None else "rejected"
            self._end(EventKind.FAILED, message, running, error=exception, detail=detail)

    def after_skip_message(self, _broker: Any, message: Any) -> None:
        """It was skipped, by us or by other middleware."""
        if id(message) in self._held:
            return
        if id(message) in self._dropped:
            self._dropped.discard(id(message))
            return
        running = live.leave(message)
        if message.failed and self._max_age_ms(message):
            self._end(EventKind.EXPIRED, message, running)
        elif message.failed:
            self._end(EventKind.FAILED, message, running, detail="rejected")
        else:
            is_ours = message.message_id in self._tombstones
            detail = "operator" if is_ours else "skipped"
            self._end(EventKind.CANCELLED, message, running, detail=detail)

    def after_nack(self, _broker: Any, message: Any) -> None:
        """A consumer put away a message for which there is no actor; workers tell of others."""
        error = sys.exc_info()[1]
        if isinstance(error, ActorNotFound) and threading.get_ident() in self._consumers:
            self._end(EventKind.FAILED, message, None, error=error, detail="unregistered")

    def _end(self, kind: EventKind, message: Any, running: live.Live | None, **more: Any) -> None:
        if kind in (EventKind.FAILED, EventKind.CANCELLED, EventKind.EXPIRED):
            native = None if running is None else running.native
            more["native"] = partial(pack, message) if native is None else lambda: native
        if running is None:
            more |= {"args": message.args, "kwargs": message.kwargs}
        if kind is not EventKind.RETRYING:
            self.ended.append(message.message_id)
        self.emit(self._told(kind, message, running, **more))

    def _told(
        self, kind: EventKind, message: Any, running: live.Live | None, **more: Any
    ) -> TaskEvent:
        return TaskEvent(
            kind,
            message.message_id,
            attempt_of(message) if running is None else running.attempt,
            message.actor_name,
            q_name(message.queue_name),
            worker_id(),
            pid=os.getpid(),
            flags=TaskFlag.REDELIVERED if getattr(message, "redelivered", False) else 0,
            fire=message.options.get(HEADER),
            **more,
        )

    def _max_age_ms(self, message: Any) -> Any:
        """The age at which a message is too old, where that is known."""
        actor = self.broker.actors.get(message.actor_name)
        limits = [each.max_age for each in self.broker.middleware if isinstance(each, AgeLimit)]
        told = [message.options.get("max_age"), actor and actor.options.get("max_age"), *limits]
        return next((each for each in told if each), None)

    # Stopping, and being a worker.

    def stop(self, task_id: str) -> Stop:
        """Interrupt a message that is processed here, or let it not start where it comes."""
        if self.worker is None:
            return Stop.NOT_HERE
        self._tombstones.add(task_id)
        running = live.of(task_id)
        if running is not None:
            return Stop.ASKED if running.interrupt(self.emit.interrupt) else Stop.ALREADY
        return Stop.ALREADY if task_id in self.ended else Stop.ASKED

    def is_closed(self, queue: str) -> bool:
        """Whether messages of a queue are left where they are."""
        return self.is_stopping or self._gate(queue).closed

    def after_consumer_thread_boot(self, _broker: Any, _thread: Any) -> None:
        """This thread consumes; what it sends has become due."""
        self._consumers.add(threading.get_ident())

    def before_consumer_thread_shutdown(self, _broker: Any, _thread: Any) -> None:
        """It no longer does."""
        self._consumers.discard(threading.get_ident())

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        """A worker is about to consume: be around all middleware, hear what was ordered before."""
        seams.surround(broker, self._first, self._last)
        self.worker, self.is_stopping = worker, False
        self.emit.catch_up(CATCH_UP_S)

    def after_worker_boot(self, _broker: Any, _worker: Any) -> None:
        """This process consumes from now on."""
        self.emit.worker_up(self.described())

    def after_worker_shutdown(self, _broker: Any, _worker: Any) -> None:
        """It has stopped, and waits a little for its facts."""
        self.emit.worker_down(worker_id(), flush_s=FLUSH_S)
        self.worker = None

    def described(self) -> Worker:
        """Describe the worker of this process as it is now."""
        return described(self.worker, [each.message.message_id for each in live.LIVE.values()])

    def _gated(self, consumer: Any, queue: str, timeout_s: float) -> Gated:
        is_closed = partial(self.is_closed, queue)
        return Gated(consumer, self._gate(queue), is_closed, self._held, timeout_s)

    def _is_gated(self, message: Any) -> bool:
        """Whether who acknowledges a message can take it back."""
        consuming = self.worker.consumers.get(message.queue_name) if self.worker else None
        return isinstance(getattr(consuming, "consumer", None), Gated)

    def _gate(self, queue: str) -> Gate:
        gate = self._gates.get(queue)
        if gate is None:
            gate = self._gates[queue] = self.emit.gate(queue)
        return gate


def _seconds(ms: Any) -> float | None:
    return ms / 1000 if isinstance(ms, int | float) else None


def _expiry(message: Any) -> float | None:
    max_age = message.options.get("max_age")
    return _seconds(message.message_timestamp + max_age) if isinstance(max_age, int) else None
