"""What is planted in arq's classes. The rule: the original is called once, with what was given.

arq's own hooks know neither name nor outcome of a job, and five of its ends call none of them. So
methods are wrapped in place, and the functions a worker knows as well. One set of wrappers serves
all engines of a process; each call goes to the engine of its Redis database.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Protocol

import arq.worker
from arq.connections import ArqRedis
from arq.worker import Worker
from z4j_core.place import redis_place

from .attempt import ATTEMPT, Attempt

Around = Callable[..., Any]


class Listener(Protocol):
    """Where the facts of one Redis database go; nothing here raises."""

    def sent(self, redis: Any, task: str, args: Any, options: Any, job: Any) -> None: ...
    def polling(self, worker: Any) -> None: ...
    def is_open(self, queue: str) -> bool: ...
    def began(self, worker: Any, task: str, ctx: Any, args: Any, kwargs: Any) -> Any: ...
    def raised(self, worker: Any, attempt: Attempt, error: Any) -> None: ...
    def finished(self, worker: Any, job_id: str, is_over: bool, later_ms: int | None) -> None: ...  # noqa: FBT001  (as arq passes it)
    def died(self, worker: Any, job_id: str) -> None: ...
    def down(self, worker: Any) -> None: ...


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


def _listener(redis: Any) -> Listener | None:
    pool = getattr(redis, "connection_pool", None)
    return None if pool is None else _listeners.get(redis_place(pool))


def _plant() -> None:
    for holder, name, around in _WANTED:
        raw = holder.__dict__[name]
        wrapped = wraps(raw)(around(raw))
        setattr(holder, name, wrapped)
        _planted.append((holder, name, raw, wrapped))


def _remove() -> None:
    while _planted:
        holder, name, raw, wrapped = _planted.pop()
        if holder.__dict__.get(name) is wrapped:
            setattr(holder, name, raw)


# Sending.


def _enqueue_job(original: Around) -> Around:
    async def enqueue_job(self: Any, function: str, *args: Any, **kwargs: Any) -> Any:
        job = await original(self, function, *args, **kwargs)
        listener = _listener(self)
        if listener is not None:
            listener.sent(self, function, args, kwargs, job)
        return job

    return enqueue_job


# The worker looks for jobs, and takes them.


def _poll_iteration(original: Around) -> Around:
    async def poll_iteration(self: Any) -> Any:
        ATTEMPT.set(None)  # a worker may be started by a job of another one
        listener = _listener(self._pool)
        if listener is not None:
            listener.polling(self)
        return await original(self)

    return poll_iteration


class _WhileOpen(list[bytes]):
    """Ids that were read; whoever goes through them gets no further once the queue is paused."""

    def __init__(self, ids: Any, is_open: Callable[[], bool]) -> None:
        super().__init__(ids)
        self._is_open = is_open

    def __iter__(self) -> Iterator[bytes]:
        for each in super().__iter__():
            if not self._is_open():
                return
            yield each


def _start_jobs(original: Around) -> Around:
    async def start_jobs(self: Any, job_ids: Any) -> Any:
        listener = _listener(self._pool)
        if listener is not None:
            job_ids = _WhileOpen(job_ids, lambda: listener.is_open(self.queue_name))
        return await original(self, job_ids)

    return start_jobs


def _close(original: Around) -> Around:
    async def close(self: Any) -> Any:
        listener = _listener(self._pool)
        try:
            return await original(self)
        finally:
            if listener is not None:
                listener.down(self)

    return close


# A job: read, run, ended. The first two steps have names of their own in arq's module.


def _deserialize_job_raw(original: Around) -> Around:
    def deserialize_job_raw(data: bytes, *args: Any, **kwargs: Any) -> Any:
        attempt = Attempt(data)
        ATTEMPT.set(attempt)
        job = original(data, *args, **kwargs)
        attempt.first_try = job[3] or 1
        return job

    return deserialize_job_raw


def _serialize_result(original: Around) -> Around:
    def serialize_result(*args: Any, **kwargs: Any) -> Any:
        attempt = ATTEMPT.get()
        if attempt is None or attempt.has_ended:
            attempt = Attempt()
            ATTEMPT.set(attempt)
        attempt.hear(args, kwargs)
        return original(*args, **kwargs)

    return serialize_result


def observed(worker: Any, known: Any, listener: Listener) -> Any:
    """A copy of a worker's `Function` or `CronJob` whose coroutine tells what becomes of it."""
    original, task = known.coroutine, known.name

    @wraps(original)
    async def coroutine(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        attempt: Attempt | None = listener.began(worker, task, ctx, args, kwargs)
        if attempt is None:
            return await original(ctx, *args, **kwargs)
        has_returned = False
        try:
            attempt.go()
            attempt.result = await original(ctx, *args, **kwargs)
            has_returned = True
        finally:
            if not has_returned:
                listener.raised(worker, attempt, sys.exc_info()[1])
        return attempt.result

    mine = copy.copy(known)
    mine.coroutine = coroutine
    return mine


def _finish_job(original: Around) -> Around:
    async def finish_job(self: Any, job_id: str, finish: bool, *args: Any, **kwargs: Any) -> Any:  # noqa: FBT001  (as arq passes it)
        result = await original(self, job_id, finish, *args, **kwargs)
        listener = _listener(self._pool)
        if listener is not None:
            later_ms = kwargs.get("incr_score", args[3] if len(args) > 3 else None)  # noqa: PLR2004
            listener.finished(self, job_id, finish, later_ms)
        return result

    return finish_job


def _finish_failed_job(original: Around) -> Around:
    async def finish_failed_job(self: Any, job_id: str, *args: Any, **kwargs: Any) -> Any:
        result = await original(self, job_id, *args, **kwargs)
        listener = _listener(self._pool)
        if listener is not None:
            listener.died(self, job_id)
        return result

    return finish_failed_job


_WANTED: list[tuple[Any, str, Around]] = [
    (ArqRedis, "enqueue_job", _enqueue_job),
    (Worker, "_poll_iteration", _poll_iteration),
    (Worker, "start_jobs", _start_jobs),
    (Worker, "finish_job", _finish_job),
    (Worker, "finish_failed_job", _finish_failed_job),
    (Worker, "close", _close),
    (arq.worker, "deserialize_job_raw", _deserialize_job_raw),
    (arq.worker, "serialize_result", _serialize_result),
]
