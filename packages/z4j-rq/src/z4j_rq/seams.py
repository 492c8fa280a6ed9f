"""What is planted in RQ's classes. The rule: the original is called once, with what was given.

RQ has no signals, so methods are wrapped in place on the class that defines them: subclasses,
`-w`, worker pools and django-rq reach them untouched. One set of wrappers serves all engines of a
process; each call goes to the engine of its Redis database.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

import rq.worker
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.job import Job
from z4j_core.place import redis_place

from .live import LIVE, held_back

PAUSED_S = 3
"""How long a worker with a paused queue waits at most before it looks again."""
_SENTINEL = "z4j-paused"
Around = Callable[..., Any]


class Listener(Protocol):
    """Where the facts of one Redis database go; nothing here raises."""

    def sent(self, queue: Any, job: Any, due: Any) -> None: ...
    def taken(self, job: Any) -> None: ...
    def is_paused(self, queue: str) -> bool: ...
    def began(self, worker: Any, job: Any) -> None: ...
    def done(self, job: Any) -> None: ...
    def succeeded(self, worker: Any, job: Any, repeats: int) -> None: ...
    def failed(self, worker: Any, job: Any, before: Any, text: str) -> None: ...
    def returned_retry(self, worker: Any, job: Any) -> None: ...
    def cancelled(self, job: Any, before: str | None) -> None: ...
    def up(self, worker: Any) -> None: ...
    def down(self, worker: Any) -> None: ...
    def idle(self) -> None: ...
    def forking(self, worker: Any) -> None: ...
    def forked(self, worker: Any, job: Any) -> None: ...


_listeners: dict[str, Listener] = {}
_planted: list[tuple[Any, str, Any, Any]] = []


def attach(place: str, listener: Listener) -> None:
    """Let the facts of a database go to `listener`; the first one plants the wrappers."""
    if not _listeners:
        _plant()
    _listeners[place] = listener


def detach(place: str, listener: Listener) -> None:
    """Stop that; the last one takes the wrappers out."""
    if _listeners.get(place) is not listener:
        return
    del _listeners[place]
    if not _listeners:
        _remove()


def worker_classes() -> list[type]:
    """RQ's own worker classes."""
    base = rq.worker.BaseWorker
    found = (each for each in vars(rq.worker).values() if isinstance(each, type))
    return [each for each in found if issubclass(each, base)]


def _listener(holder: Any) -> Listener | None:
    pool = getattr(getattr(holder, "connection", None), "connection_pool", None)
    return None if pool is None else _listeners.get(redis_place(pool))


def _plant() -> None:
    for cls, name, around in _wanted():
        raw = cls.__dict__.get(name)
        if raw is None:
            continue
        bound = raw.__func__ if isinstance(raw, classmethod) else raw
        wrapped: Any = wraps(bound)(around(bound))
        wrapped = classmethod(wrapped) if isinstance(raw, classmethod) else wrapped
        setattr(cls, name, wrapped)
        _planted.append((cls, name, raw, wrapped))


def _wanted() -> list[tuple[Any, str, Around]]:
    wanted: list[tuple[Any, str, Around]] = [
        (Queue, "enqueue_job", _enqueue_job),
        (Queue, "schedule_job", _schedule_job),
        (Queue, "enqueue_many", _enqueue_many),
        (Queue, "dequeue_any", _dequeue_any),
        (Job, "perform", _perform),
        (Job, "cancel", _cancel),
    ]
    return wanted + [
        (cls, name, around) for cls in worker_classes() for name, around in _WORKER.items()
    ]


def _remove() -> None:
    while _planted:
        cls, name, raw, wrapped = _planted.pop()
        if cls.__dict__.get(name) is wrapped:
            setattr(cls, name, raw)


# Sending. A queue that runs its jobs at once (`is_async=False`) has no worker to tell of them.


def _enqueue_job(original: Around) -> Around:
    def enqueue_job(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, job, *args, **kwargs)
        listener = _listener(self)
        if listener is not None and self._is_async:
            listener.sent(self, result, None)
        return result

    return enqueue_job


def _schedule_job(original: Around) -> Around:
    def schedule_job(self: Any, job: Any, datetime: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, job, datetime, *args, **kwargs)
        listener = _listener(self)
        if listener is not None:
            listener.sent(self, job, datetime)
        return result

    return schedule_job


def _enqueue_many(original: Around) -> Around:
    def enqueue_many(self: Any, *args: Any, **kwargs: Any) -> Any:
        jobs = original(self, *args, **kwargs)
        listener = _listener(self)
        if listener is not None and self._is_async:
            for job in jobs:
                listener.sent(self, job, None)
        return jobs

    return enqueue_many


def _cancel(original: Around) -> Around:
    def cancel(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = self.get_status(refresh=False)
        result = original(self, *args, **kwargs)
        listener = _listener(self)
        if listener is not None:
            listener.cancelled(self, before)
        return result

    return cancel


# Taking. Whoever waits is not woken by a pause: what it gets then goes back to the front.


def _dequeue_any(original: Around) -> Around:
    def dequeue_any(cls: Any, queues: Any, timeout: Any, *args: Any, **kwargs: Any) -> Any:
        listener = _listener(next(iter(queues), None))
        if listener is None:
            return original(cls, queues, timeout, *args, **kwargs)
        listener.idle()
        opened = [queue for queue in queues if not listener.is_paused(queue.name)]
        if len(opened) < len(queues) and timeout is not None:
            timeout = min(timeout, PAUSED_S)
        wanted = opened or [cls(_SENTINEL, connection=queues[0].connection)]
        result = original(cls, wanted, timeout, *args, **kwargs)
        if result is None:
            return None
        job, queue = result
        if listener.is_paused(queue.name):
            _put_back(queue, job.id)
            if timeout is None:
                return None
            raise DequeueTimeout(timeout, queue.key)
        listener.taken(job)
        return result

    return dequeue_any


def _put_back(queue: Any, job_id: str) -> None:
    with queue.connection.pipeline() as pipeline:
        pipeline.lpush(queue.key, job_id)
        pipeline.lrem(f"{queue.key}:intermediate", 1, job_id)
        pipeline.execute()


# Running. RQ calls these by position in the parent and by keyword in the horse.


def _of(args: Any, kwargs: Any) -> Any:
    return kwargs["job"] if "job" in kwargs else args[0]


def _perform(original: Around) -> Around:
    def perform(self: Any) -> Any:
        live = LIVE.get(self.id)
        return original(self) if live is None else live.perform(original, self)

    return perform


def _perform_job(original: Around) -> Around:
    def perform_job(self: Any, *args: Any, **kwargs: Any) -> Any:
        listener, job = _listener(self), _of(args, kwargs)
        if listener is None:
            return original(self, *args, **kwargs)
        listener.began(self, job)
        try:
            return original(self, *args, **kwargs)
        finally:
            listener.done(job)

    return perform_job


def _handle_job_success(original: Around) -> Around:
    def handle_job_success(self: Any, *args: Any, **kwargs: Any) -> Any:
        job = _of(args, kwargs)
        repeats = getattr(job, "repeats_left", None) or 0
        result = original(self, *args, **kwargs)
        listener = _listener(self)
        if listener is not None:
            listener.succeeded(self, job, repeats)
        return result

    return handle_job_success


def _handle_job_failure(original: Around) -> Around:
    def handle_job_failure(self: Any, *args: Any, **kwargs: Any) -> Any:
        job = _of(args, kwargs)
        before = (self._stopped_job_id == job.id, job.retries_left or 0)
        result = original(self, *args, **kwargs)
        listener = _listener(self)
        if listener is not None:
            listener.failed(self, job, before, kwargs.get("exc_string") or "")
        return result

    return handle_job_failure


def _handle_job_retry(original: Around) -> Around:
    def handle_job_retry(self: Any, *args: Any, **kwargs: Any) -> Any:
        job = _of(args, kwargs)
        result = original(self, *args, **kwargs)
        listener = _listener(self)
        if listener is not None:
            listener.returned_retry(self, job)
        return result

    return handle_job_retry


# The worker.


def _register_birth(original: Around) -> Around:
    def register_birth(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        listener = _listener(self)
        if listener is not None:
            listener.up(self)
        return result

    return register_birth


def _register_death(original: Around) -> Around:
    def register_death(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        listener = _listener(self)
        if listener is not None:
            listener.down(self)
        return result

    return register_death


def _fork_work_horse(original: Around) -> Around:
    def fork_work_horse(self: Any, *args: Any, **kwargs: Any) -> Any:
        listener, job = _listener(self), _of(args, kwargs)
        if listener is None:
            return original(self, *args, **kwargs)
        listener.forking(self)
        try:
            with held_back():
                return original(self, *args, **kwargs)
        finally:
            listener.forked(self, job)

    return fork_work_horse


_WORKER: dict[str, Around] = {
    "perform_job": _perform_job,
    "handle_job_success": _handle_job_success,
    "handle_job_failure": _handle_job_failure,
    "handle_job_retry": _handle_job_retry,
    "register_birth": _register_birth,
    "register_death": _register_death,
    "fork_work_horse": _fork_work_horse,
}
