"""One delivery after the other. The rule: an end is stated once, by the first that tells of it.

Everything here runs in the worker's main process, for every pool. Each signal with a receiver
costs a worker more than what the receiver does, so `task_postrun` has one only once a running
task was to be cancelled.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import celery
from celery import signals
from celery.exceptions import Ignore, Reject
from celery.worker import state
from z4j_core import Emit, ErrorText, EventKind, TaskEvent
from z4j_core.scheduler.fires import HEADER

from .facts import epoch, error_text, of_context, parent_of, pid_of, value_of
from .message import NATIVE, pack
from .publish import Resent
from .requests import Requests, Run
from .routes import Routes

REJECT_IS_SILENT = celery.VERSION[:2] < (5, 7)
"""Before 5.7 a rejected task had no terminal event in the main process."""
_RECEIVED, _STARTED, _SUCCEEDED = EventKind.RECEIVED, EventKind.STARTED, EventKind.SUCCEEDED
_REDELIVERED = EventKind.REDELIVERED
_DETAILS = {
    "TimeLimitExceeded": "timeout",
    "SoftTimeLimitExceeded": "timeout",
    "WorkerLostError": "worker_killed",
    "Reject": "rejected",
    "Cancelled": "operator",
}


SPEAKING: ContextVar[Any] = ContextVar("z4j_speaking", default=None)
"""The request whose method sends the event that is heard now: events name the task id alone."""


class Cancelled(Ignore):  # type: ignore[misc]  # Celery ships no types
    """Raised in a running task to cancel it: acknowledged, never retried, `finally` runs."""


class Deliveries:
    """What one app's worker holds and what became of it.

    An interrupt is only set while its task's code runs, and a task leaves that code under the
    same lock, `leaving`. `place` names the thread or greenlet it is called in, for pools that run
    tasks in this process.
    """

    def __init__(self, app: Any, emit: Emit) -> None:
        self.app = app
        self.emit = emit
        self.requests = Requests()
        self.tombstones = emit.tombstones()
        self.leaving = threading.Lock()
        self.hostname: str | None = None
        self.place: Callable[[], Any] | None = None
        self.left_by: type[BaseException] = Cancelled
        self.queues_in_pool = False
        self._on_postrun: Any = None
        self.queue_of = Routes(app).queue_of

    def interrupt(self, task_id: str) -> bool:
        """Raise `Cancelled` in the thread that runs a task; False when it no longer does."""
        if self._on_postrun is None:
            self._on_postrun = self.emit.hook(partial(self._leave))
            signals.task_postrun.connect(self._on_postrun, weak=False)
        with self.leaving:
            run = self.requests.live(task_id)
            if run is None or run.place is None or not runs_in(run.place, task_id):
                return False
            return self.emit.interrupt(run.place, Cancelled)

    def _leave(self, **_: Any) -> None:
        """A task's code has returned: what is raised in its thread from now on is ours."""
        with self.leaving:
            pass

    def remove(self) -> None:
        """Listen to no end any more."""
        if self._on_postrun is not None:
            signals.task_postrun.disconnect(self._on_postrun)
            self._on_postrun = None

    def handlers(self) -> dict[str, Any]:
        """Handlers of the tapped events, each guarded."""
        return {
            "task-started": self.emit.hook(self._started, raises=(Cancelled,)),
            "task-succeeded": self.emit.hook(self._succeeded),
            "task-retried": self.emit.hook(partial(self._failed, EventKind.RETRYING)),
            "task-failed": self.emit.hook(partial(self._failed, EventKind.FAILED)),
            "task-cancelled": self.emit.hook(self._given_back),
        }

    def on_received(self, sender: Any, request: Any, **_: Any) -> None:
        """Start to hold a delivery; one that was cancelled before it came is revoked here."""
        if sender.app is not self.app:
            return
        if HEADER in request.request_dict and not self._may_start(request):
            return
        if not request.task.send_events:
            return
        again = request.delivery_info.get("redelivered") and not self.requests.ended(request.id)
        run = self.requests.received(request)
        if again:
            self._give_back(run)
        if self.tombstones and run.task_id in self.tombstones:
            state.revoked.add(run.task_id)
        attempt = run.retries + 1
        self.emit.received(run.task_id, attempt, partial(self._told, _RECEIVED, run))

    def _may_start(self, request: Any) -> bool:
        """Whether a delivery of a fire is no second copy; one that is, is dropped without a word.

        Celery's own mark of one that was revoked is set, for this delivery alone: its table of
        revoked ids would take the first copy along.
        """
        if self.emit.first_start(request.id, request.request_dict[HEADER]):
            return True
        request._already_revoked = True  # noqa: SLF001  (as its own `revoked` does)
        request.acknowledge()
        return False

    def _told(self, kind: EventKind, run: Run) -> TaskEvent | None:
        """All that is known of a delivery; None when Celery has let go of it."""
        request = run()
        if request is None:
            return None
        due_at = expires_at = None
        if request.eta is not None or request.expires is not None:
            zone = self.app.timezone
            due_at, expires_at = epoch(request.eta, zone), epoch(request.expires, zone)
        message, delivery = request.request_dict, request.delivery_info
        return TaskEvent(
            kind,
            run.task_id,
            run.retries + 1,
            request.name,
            self.queue_of(delivery["exchange"], delivery["routing_key"]),
            request.hostname,
            request.args,
            request.kwargs,
            due_at=due_at,
            expires_at=expires_at,
            priority=delivery["priority"],
            start=request.time_start,
            pid=pid_of(request),
            root_id=message.get("root_id"),
            parent_id=parent_of(run.task_id, message.get("parent_id")),
            group_id=message.get("group"),
            fire=message.get(HEADER),
            schedule=message.get(NATIVE),
        )

    def _end(self, kind: EventKind, run: Run, **more: Any) -> None:
        """Record an end with the message behind it, for a retry."""
        request, told = run(), self._told(kind, run)
        if request is None or told is None:
            self.emit(TaskEvent(kind, run.task_id, run.retries + 1, **more))
        else:
            start = told.start if run.started else None
            native = partial(pack, request.message)
            self.emit(told._replace(due_at=None, start=start, native=native, **more))

    def on_failure(self, request: Any, exc_info: Any) -> None:
        """End a run of which Celery tells no event: ignored, cancelled or rejected."""
        error = exc_info.exception
        error = getattr(error, "exc", error)
        if not isinstance(error, (Ignore, Reject)) or request.app is not self.app:
            return
        kind, more = _quiet_end(error)
        if kind is None:
            return
        run = self.requests.end(request.id, retries=request.request_dict.get("retries") or 0)
        if run is not None:
            self._end(kind, run, **more)
        if kind is EventKind.CANCELLED:
            backend = request.task.backend
            backend.mark_as_revoked(request.id, "cancelled", request=request._context)  # noqa: SLF001

    def _started(self, fields: dict[str, Any]) -> None:
        run = self.requests.start(fields["uuid"], retries=_retries_of(fields["uuid"]))
        if run is None:
            return
        if self.place is not None:
            run.place = self.place()
        if self.queues_in_pool and run.task_id in state.revoked:
            # These pools take all they are given; Celery looks at revoked ids only before.
            request: Any = run()
            run.started = False
            request._announce_revoked("revoked", False, None, False)  # noqa: FBT003, SLF001
            raise self.left_by
        event = self._told(_STARTED, run)
        if event is not None:
            self.emit(event)

    def _succeeded(self, fields: dict[str, Any]) -> None:
        run = self.requests.end(fields["uuid"], newest=True)
        if run is not None:
            # What led to it, STARTED has said; the core repeats that.
            result, runtime_s = value_of(fields.get("result")), fields.get("runtime")
            task_id, attempt = run.task_id, run.retries + 1
            self.emit(TaskEvent(_SUCCEEDED, task_id, attempt, result=result, runtime_s=runtime_s))

    def _failed(self, kind: EventKind, fields: dict[str, Any]) -> None:
        task_id, is_last = fields["uuid"], kind is EventKind.FAILED
        run = self.requests.end(task_id, retries=_retries_of(task_id), newest=is_last)
        if run is None:
            return
        error = error_text(fields["exception"], fields.get("traceback"))
        detail = _DETAILS.get(error.type.rpartition(".")[2])
        if detail == "operator" and kind is EventKind.FAILED:  # hit while its result was stored
            kind = EventKind.CANCELLED
        self._end(kind, run, error=error, detail=detail)

    def _given_back(self, fields: dict[str, Any]) -> None:
        """Celery stopped a run whose message the broker will hand out again."""
        run = self.requests.end(fields["uuid"])
        if run is not None:
            self._give_back(run)

    def _give_back(self, run: Run) -> None:
        """Say that another worker, or this one before, had this delivery and did not end it."""
        told = self._told(_REDELIVERED, run)
        if told is not None:
            self.emit(told)

    def on_revoked(self, sender: Any, request: Any, *, expired: bool, **_: Any) -> None:
        """End a delivery that was revoked or expired, often before it was received."""
        if sender.app is not self.app or not sender.send_events:
            return
        kind = EventKind.EXPIRED if expired else EventKind.CANCELLED
        held = self.requests.end(request.id, retries=request.retries or 0)
        detail = None if expired else "operator"
        if held is not None:
            self._end(kind, held, detail=detail)
        elif not self.requests.ended(request.id):
            self.emit(of_context(kind, request, sender, self.queue_of, detail=detail))

    def on_unknown(self, sender: Any, message: Any, name: str, id: str, **_: Any) -> None:  # noqa: A002
        """End a message whose task this worker does not have."""
        if sender.app is self.app:
            error = ErrorText("celery.exceptions.NotRegistered", name)
            self._bad_message(sender, message, id, name, error, "unregistered")

    def on_rejected(self, sender: Any, message: Any, exc: BaseException | None, **_: Any) -> None:
        """End a message the worker refused before it became a request."""
        if sender.app is self.app:
            self.undecodable(message, exc)

    def undecodable(self, message: Any, exc: BaseException | None) -> None:
        headers = message.headers or {}
        if "id" in headers:
            self._bad_message(None, message, headers["id"], headers.get("task"), exc, "undecodable")

    def _bad_message(
        self, sender: Any, message: Any, task_id: str, name: str | None, error: Any, detail: str
    ) -> None:
        delivery = message.delivery_info or {}
        headers = message.headers or {}
        self.emit(
            TaskEvent(
                EventKind.FAILED,
                task_id,
                (headers.get("retries") or 0) + 1,
                name,
                self.queue_of(delivery.get("exchange"), delivery.get("routing_key")),
                self.hostname,
                error=error,
                root_id=headers.get("root_id"),
                parent_id=headers.get("parent_id"),
                native=partial(pack, message),
                detail=detail,
            )
        )

    def resent(self, task: str, sent: Resent, eta: float | None) -> None:
        """Report a message we sent again; Celery has no signal for it."""
        self.emit(
            TaskEvent(
                EventKind.SCHEDULED if eta else EventKind.ENQUEUED,
                sent.id,
                1,
                task,
                self.queue_of(sent.exchange, sent.routing_key),
                due_at=eta,
                priority=sent.priority,
                root_id=sent.headers.get("root_id"),
                parent_id=sent.headers.get("parent_id"),
                retry_of=sent.old_id,
            )
        )


def _retries_of(task_id: str) -> int | None:
    """Which attempt of a task speaks, if that is known."""
    request = SPEAKING.get()
    if request is None or request.id != task_id:
        return None
    return request.request_dict.get("retries") or 0


def _quiet_end(error: BaseException) -> tuple[EventKind | None, dict[str, Any]]:
    """What an exception that Celery tells nobody of means."""
    if isinstance(error, Cancelled):
        return EventKind.CANCELLED, {"detail": "operator"}
    if isinstance(error, Ignore):
        return EventKind.SUCCEEDED, {"detail": "ignored"}
    if getattr(error, "requeue", False):
        return _REDELIVERED, {}
    if REJECT_IS_SILENT:
        text = ErrorText("celery.exceptions.Reject", str(error))
        return EventKind.FAILED, {"error": text, "detail": "rejected"}
    return None, {}


def runs_in(place: Any, task_id: str) -> bool:
    """Whether a thread or greenlet is in the code of a task, below Celery's `trace_task` for it.

    That frame's `state` is set as soon as the code has returned or raised.
    """
    frames = sys._current_frames()  # noqa: SLF001  (the documented way to another stack)
    if isinstance(place, int):
        frame = frames.get(place)
    else:
        frame = place.gr_frame or frames.get(threading.main_thread().ident or 0)
    called = None
    while frame is not None:
        code = frame.f_code
        if code.co_name == "trace_task" and frame.f_globals.get("__name__") == "celery.app.trace":
            known = frame.f_locals
            return (
                called is not None and known.get("uuid") == task_id and known.get("state") is None
            )
        called, frame = frame, frame.f_back
    return False
