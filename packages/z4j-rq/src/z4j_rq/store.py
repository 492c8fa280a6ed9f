"""RQ's keys in Redis. The rule: fields are read by name, and no job is fetched to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as Late
from z4j_core import (
    EngineUnavailable,
    Held,
    Indeterminate,
    Page,
    QueueDepth,
    TaskNotFound,
    TaskState,
)

from .facts import STATE_OF_STATUS, Call, call_in, epoch
from .message import FIELDS, pack_fields

_SHOWN = ("data", "origin", "status", "enqueued_at")
_ALL = tuple(dict.fromkeys((*_SHOWN, *FIELDS)))
_DOWN = (Disconnected, Late)
Fields = dict[str, bytes | None]


@contextmanager
def reached(client: Any) -> Iterator[Any]:
    """Lend a client that has just answered.

    Raises:
        EngineUnavailable: Redis did not answer. Nothing was done.
        Indeterminate: it went away later. It may have been done.
    """
    try:
        client.ping()
    except _DOWN as error:
        raise EngineUnavailable(f"Redis does not answer: {error}") from error
    try:
        yield client
    except _DOWN as error:
        raise Indeterminate(f"Redis went away: {error}") from error


def key_of_job(task_id: str) -> str:
    """Hash of a job."""
    return f"rq:job:{task_id}"


def key_of_queue(queue: str) -> str:
    """List of a queue's waiting jobs."""
    return f"rq:queue:{queue}"


def key_of(registry: str, queue: str) -> str:
    """Sorted set of a registry: `scheduled`, `deferred`, `failed`, `wip`, `canceled`."""
    return f"rq:{registry}:{queue}"


def text(value: bytes | None) -> str:
    """Bytes as text."""
    return (value or b"").decode("utf-8", "replace")


def fields_of(client: Any, task_id: str) -> Fields:
    """Fields of a job that tell what it is and how to send it again.

    Raises:
        TaskNotFound: RQ does not hold it.
    """
    found: Fields = dict(zip(_ALL, client.hmget(key_of_job(task_id), _ALL), strict=True))
    if found["data"] is None:
        raise TaskNotFound(task_id)
    return found


def status_of(fields: Fields) -> str:
    """RQ's word for the state of a job."""
    return text(fields["status"])


def held(client: Any, task_id: str) -> Held:
    """A job as RQ holds it, with what a retry needs."""
    fields = fields_of(client, task_id)
    call = call_in(fields["data"] or b"")
    native = pack_fields(task_id, fields, call)
    return _held(task_id, fields, call, text(fields["origin"]), native)


def depth(client: Any, queue: str) -> QueueDepth:
    """Count a queue: what waits, what is put off, runs and failed, and how old the first is."""
    with client.pipeline(transaction=False) as pipeline:
        pipeline.llen(key_of_queue(queue))
        pipeline.zcard(key_of("scheduled", queue))
        pipeline.zcard(key_of("deferred", queue))
        pipeline.zcard(key_of("wip", queue))
        pipeline.llen(f"{key_of_queue(queue)}:intermediate")
        pipeline.zcard(key_of("failed", queue))
        pipeline.scard(f"rq:workers:{queue}")
        pipeline.lindex(key_of_queue(queue), 0)
        pipeline.time()
        ready, scheduled, deferred, running, between, dead, workers, first, now = pipeline.execute()
    return QueueDepth(
        ready, scheduled + deferred, running + between, dead, workers,
        _age_s(client, first, now[0] + now[1] / 1e6),
    )  # fmt: skip


def peek(client: Any, queue: str, limit: int, cursor: str | None) -> Page:
    """The next jobs of a queue, oldest first; nothing is moved, fetched or loaded."""
    at = int(cursor or 0)
    ids = client.lrange(key_of_queue(queue), at, at + limit - 1)
    return _page(client, ids, queue, at, limit)


def dead_letters(client: Any, queue: str, limit: int, cursor: str | None) -> Page:
    """Jobs that failed or were stopped, as RQ keeps them, oldest first."""
    at = int(cursor or 0)
    ids = client.zrange(key_of("failed", queue), at, at + limit - 1)
    return _page(client, ids, queue, at, limit)


def unqueue(client: Any, task_id: str, queue: str) -> bool:
    """Take a waiting job where no worker gets it any more; whether it was still there."""
    with client.pipeline() as pipeline:
        pipeline.lrem(key_of_queue(queue), 1, task_id)
        pipeline.zrem(key_of("scheduled", queue), task_id)
        pipeline.zrem(key_of("deferred", queue), task_id)
        return any(pipeline.execute())


def _fields(row: Sequence[bytes | None]) -> Fields:
    return dict(zip(_SHOWN, row, strict=True))


def _page(client: Any, ids: Sequence[bytes], queue: str, at: int, limit: int) -> Page:
    names = [text(each) for each in ids]
    with client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.hmget(key_of_job(name), _SHOWN)
        rows = pipeline.execute()
    items = tuple(
        _held(name, fields, call_in(fields["data"] or b""), queue)
        for name, row in zip(names, rows, strict=True)
        for fields in [_fields(row)]
    )
    return Page(items, str(at + len(items)) if len(items) == limit else None)


def _held(task_id: str, fields: Fields, call: Call, queue: str, native: Any = None) -> Held:
    state = STATE_OF_STATUS.get(status_of(fields), TaskState.UNKNOWN)
    return Held(
        task_id, call.task, queue, state, call.args, call.kwargs, call.opaque,
        epoch(fields["enqueued_at"]), native,
    )  # fmt: skip


def _age_s(client: Any, first: bytes | None, now: float) -> float | None:
    if first is None:
        return None
    since = epoch(client.hget(key_of_job(text(first)), "enqueued_at"))
    return None if since is None else max(now - since, 0.0)
