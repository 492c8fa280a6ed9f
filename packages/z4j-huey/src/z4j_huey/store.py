"""A Huey storage. The rule: counts are its own, looking changes nothing, no task is unpickled."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from z4j_core import (
    EngineUnavailable,
    Held,
    Indeterminate,
    Page,
    QueueDepth,
    TaskState,
    Unsupported,
)

from .message import read

_ERRORS = {
    "redis.exceptions": "RedisError",
    "valkey.exceptions": "ValkeyError",
    "sqlite3": "Error",
    "psycopg": "Error",
}

_STAMP = 8
"""Bytes before a message in a queue with priorities: when it came."""


@contextmanager
def reached(huey: Any) -> Iterator[Any]:
    """Lend the storage of an instance, which has just answered.

    Raises:
        EngineUnavailable: it did not answer. Nothing was done.
        Indeterminate: it went away later. It may have been done.
    """
    storage, down = huey.storage, _errors()
    try:
        storage.queue_size()
    except down as error:
        raise EngineUnavailable(f"the storage does not answer: {error}") from error
    try:
        yield storage
    except down as error:
        raise Indeterminate(f"the storage went away: {error}") from error


def own(huey: Any, queue: str | None) -> None:
    """Refuse a queue that is not this instance's.

    Raises:
        Unsupported: an instance of Huey has one queue, which is called as it is.
    """
    if queue not in (None, "", huey.name):
        raise Unsupported("broker", f"this Huey has one queue, {huey.name}")


def depth(storage: Any) -> QueueDepth:
    """Count what waits and what is put off."""
    return QueueDepth(int(storage.queue_size()), int(storage.schedule_size()))


def peek(storage: Any, queue: str, limit: int, cursor: str | None) -> Page:
    """The next tasks, as they would be taken; nothing is moved or loaded."""
    at = int(cursor or 0)
    if hasattr(storage, "queue_key"):
        rows = _redis_items(storage, at, limit)
    else:
        rows = storage.enqueued_items(at + limit)[at:]
    items = tuple(_held(data, queue) for data in rows)
    return Page(items, str(at + len(items)) if len(items) == limit else None)


def purge(storage: Any) -> int:
    """Drop what waits and say how much; what is put off stays."""
    if hasattr(storage, "queue_key"):
        return _purge_redis(storage)
    if hasattr(storage, "table_task") and hasattr(storage, "filename"):
        with storage.db(commit=True) as cursor:
            cursor.execute("delete from task where queue = ?", (storage.name,))
            return int(cursor.rowcount)
    count = 0
    while storage.dequeue() is not None:
        count += 1
    return count


def _redis_items(storage: Any, at: int, limit: int) -> Any:
    """Tasks as they would be taken; Huey 2 shows them in another order."""
    if getattr(storage, "priority", False):
        rows = storage.conn.zrange(storage.queue_key, at, at + limit - 1)
        return [row[_STAMP:] for row in rows]
    return storage.conn.lrange(storage.queue_key, -(at + limit), -(at + 1))[::-1]


def _purge_redis(storage: Any) -> int:
    with storage.conn.pipeline(transaction=True) as pipeline:
        count = pipeline.zcard if getattr(storage, "priority", False) else pipeline.llen
        count(storage.queue_key)
        pipeline.delete(storage.queue_key)
        return int(pipeline.execute()[0])


def _held(data: Any, queue: str) -> Held:
    found = read(data)
    state = TaskState.SCHEDULED if found.is_delayed else TaskState.QUEUED
    return Held(found.id, found.task, queue, state, found.args, found.kwargs, found.opaque)


def _errors() -> tuple[type[BaseException], ...]:
    """What storages raise when they are not there; of clients that are loaded."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in _ERRORS.items())
    return (OSError, *(each for each in found if isinstance(each, type)))
