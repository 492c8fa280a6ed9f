"""arq's keys in Redis. The rule: what is in progress is left to its worker; no bytes are loaded.

A worker takes a job by setting its in-progress key, which it watches meanwhile. Whoever takes a
waiting job away touches that key in the same transaction, so that one of the two does not happen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from arq.constants import (
    in_progress_key_prefix,
    job_key_prefix,
    result_key_prefix,
    retry_key_prefix,
)
from arq.utils import timestamp_ms
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

from .message import Call, call_in, pack

LOOKED_AT = 1000
"""How many due jobs of a queue are asked at most whether they run."""
AT_ONCE = 100
_DOWN = (Disconnected, Late)


class Taken(NamedTuple):
    """A job that was taken away before it started, and how often it had been tried."""

    data: bytes
    queue: str | None
    tries: int


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


def send(
    client: Any, task_id: str, queue: str, data: bytes, due_ms: int, kept_ms: int
) -> bool:  # fmt: skip
    """Push a job; False when its id is taken, by a job or by a result."""
    key = job_key_prefix + task_id

    def push(pipe: Any) -> bool:
        if pipe.exists(key, result_key_prefix + task_id):
            return False
        pipe.multi()
        pipe.psetex(key, kept_ms, data)
        pipe.zadd(queue, {task_id: due_ms})
        return True

    return bool(client.transaction(push, key, value_from_callable=True))


def take(client: Any, task_id: str, queues: Sequence[str]) -> Taken | None:
    """Take a waiting job away, wherever it waits; None when there is none or it runs."""
    progress, job = in_progress_key_prefix + task_id, job_key_prefix + task_id
    retry = retry_key_prefix + task_id

    def remove(pipe: Any) -> Taken | None:
        data = pipe.get(job)
        if data is None or pipe.exists(progress):
            return None
        places = [queue for queue in queues if pipe.zscore(queue, task_id) is not None]
        tries = int(pipe.get(retry) or 0)
        pipe.multi()
        pipe.psetex(progress, 1000, b"1")
        pipe.delete(progress, job, retry)
        for queue in places:
            pipe.zrem(queue, task_id)
        return Taken(data, places[0] if places else None, tries)

    found: Taken | None = client.transaction(remove, progress, job, value_from_callable=True)
    return found


def purge(client: Any, queue: str) -> int:
    """Drop what waits in a queue, due or not; how many were dropped."""
    dropped = 0
    for at in range(0, len(ids := client.zrange(queue, 0, -1)), AT_ONCE):
        dropped += _drop(client, queue, [text(each) for each in ids[at : at + AT_ONCE]])
    return dropped


def _drop(client: Any, queue: str, ids: Sequence[str]) -> int:
    keys = [in_progress_key_prefix + each for each in ids]

    def remove(pipe: Any) -> int:
        running = pipe.mget(keys)
        free = [each for each, is_running in zip(ids, running, strict=True) if not is_running]
        pipe.multi()
        for each in free:
            progress = in_progress_key_prefix + each
            pipe.psetex(progress, 1000, b"1")
            pipe.delete(progress, job_key_prefix + each, retry_key_prefix + each)
            pipe.zrem(queue, each)
        return len(free)

    return int(client.transaction(remove, *keys, value_from_callable=True))


def has_result(client: Any, task_id: str) -> bool:
    """Whether arq keeps the result of a job."""
    return bool(client.exists(result_key_prefix + task_id))


def held(client: Any, task_id: str, queues: Sequence[str]) -> Held:
    """A job as arq holds it, waiting, running or with its result.

    Raises:
        TaskNotFound: arq does not hold it.
    """
    with client.pipeline() as pipe:
        pipe.mget(job_key_prefix + task_id, result_key_prefix + task_id)
        pipe.exists(in_progress_key_prefix + task_id)
        for queue in queues:
            pipe.zscore(queue, task_id)
        (data, result), is_running, *scores = pipe.execute()
    places: list[tuple[str | None, float]] = [
        (queue, score) for queue, score in zip(queues, scores, strict=True) if score is not None
    ]
    place, score = places[0] if places else (None, 0.0)
    if data is not None:
        call = call_in(data)
        native = pack(task_id, place, call.task, data)
        return _held(task_id, place, _state(score, is_running), call, native)
    if result is None:
        raise TaskNotFound(task_id)
    call = call_in(result)
    good = {True: TaskState.SUCCEEDED, False: TaskState.FAILED, None: TaskState.UNKNOWN}
    return _held(task_id, place, good[call.is_success], call)


def depth(client: Any, queue: str) -> QueueDepth:
    """Count a queue: what waits, what is put off, what runs, and how long the first waits."""
    now = timestamp_ms()
    with client.pipeline(transaction=False) as pipe:
        pipe.zcount(queue, "-inf", now)
        pipe.zcount(queue, f"({now}", "+inf")
        pipe.zrangebyscore(queue, "-inf", now, start=0, num=LOOKED_AT, withscores=True)
        due, later, first = pipe.execute()
    running = _running(client, [text(each) for each, _ in first])
    waiting = [
        score for (_, score), is_running in zip(first, running, strict=True) if not is_running
    ]
    oldest_s = max(now - waiting[0], 0) / 1e3 if waiting else None
    return QueueDepth(due - sum(running), later, sum(running), oldest_s=oldest_s)


def peek(client: Any, queue: str, limit: int, cursor: str | None) -> Page:
    """The next jobs of a queue, those that run among them; nothing is moved or loaded."""
    at = int(cursor or 0)
    rows = client.zrange(queue, at, at + limit - 1, withscores=True)
    names = [text(each) for each, _ in rows]
    jobs = client.mget([job_key_prefix + each for each in names]) if names else []
    items = tuple(
        _held(name, queue, _state(score, is_running), _call(data))
        for name, (_, score), data, is_running in zip(
            names, rows, jobs, _running(client, names), strict=True
        )
    )
    return Page(items, str(at + len(items)) if len(items) == limit else None)


def text(value: bytes) -> str:
    """Bytes as text."""
    return value.decode("utf-8", "replace")


def _running(client: Any, ids: Sequence[str]) -> list[bool]:
    if not ids:
        return []
    return [each is not None for each in client.mget([in_progress_key_prefix + i for i in ids])]


def _state(score: float, is_running: object) -> TaskState:
    if is_running:
        return TaskState.RUNNING
    return TaskState.SCHEDULED if score > timestamp_ms() else TaskState.QUEUED


def _call(data: bytes | None) -> Call:
    return Call(None, opaque="its job has expired") if data is None else call_in(data)


def _held(
    task_id: str, queue: str | None, state: TaskState, call: Call, native: Any = None
) -> Held:  # fmt: skip
    return Held(
        task_id, call.task, queue, state, call.args, call.kwargs, call.opaque, call.enqueued_at,
        native,
    )  # fmt: skip
