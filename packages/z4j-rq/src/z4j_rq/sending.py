"""Sending and taking back jobs. The rule: bytes of others are never loaded on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rq import Queue
from rq.exceptions import InvalidJobOperation
from rq.job import Job as RQJob
from rq.registry import FailedJobRegistry
from z4j_core import Job, TaskNotFound, Unsupported

from . import store
from .message import Inert, Packed, plain, renewed

DEFAULT_QUEUE = "default"


def send(client: Any, job: Job, queue: str, serializer: Any) -> str:
    """Send a job by the name of its function and return its id.

    A fire that is there already is not sent again: RQ would take the second copy, and run both.

    Raises:
        Unsupported: a due time where no scheduler runs, or anything RQ cannot promise.
    """
    refuse(client, queue, job.eta, priority=job.priority)
    if job.headers:
        raise Unsupported("broker", "jobs of RQ have no headers")
    options = dict(job.options)
    if job.expires is not None:
        now_s, now_us = client.time()
        options["ttl"] = max(int(job.expires - now_s - now_us / 1e6), 1)
    target: Any = Queue(queue, connection=client, serializer=serializer)
    made = target.create_job(
        job.task, args=job.args, kwargs=dict(job.kwargs), job_id=job.id, **options
    )
    if job.fire is None or not client.exists(made.key):
        push(client, queue, made, job.eta)
    return str(made.id)


def resend(client: Any, packed: Packed, task_id: str | None, queue: str, eta: float | None) -> Any:
    """A new job from a packed one, as yet unsent; see `push`."""
    refuse(client, queue, eta)
    return renewed(packed, task_id, client)


def push(client: Any, queue: str, job: Any, eta: float | None) -> None:
    """Send a job that was made for it."""
    target: Any = Queue(queue, connection=client)
    if eta is None:
        target.enqueue_job(job)
    else:
        job.origin = queue
        target.schedule_job(job, datetime.fromtimestamp(eta, UTC))


def purge(client: Any, queue: str) -> int:
    """Drop what waits in a queue, jobs and all; put off and failed ones stay."""
    target: Any = Queue(queue, connection=client)
    return int(target.empty() or 0)


def requeue(client: Any, queue: str, task_id: str) -> None:
    """Put a failed job back on its queue.

    RQ unpacks what it fetches, however much that is; so it is tried within bounds before.

    Raises:
        TaskNotFound: it is not in the registry of failed jobs.
        Unsupported: it is damaged, or too large. Nothing was changed.
    """
    registry = FailedJobRegistry(queue, connection=client, serializer=Inert)
    fields = store.fields_of(client, task_id)
    plain(fields["data"] or b"")
    plain(client.hget(store.key_of_job(task_id), "exc_info") or b"")
    try:
        registry.requeue(task_id)
    except UnicodeDecodeError as error:
        raise Unsupported("undecodable", f"{task_id} is damaged") from error
    except InvalidJobOperation as error:
        raise TaskNotFound(f"{task_id} is not a failed job of {queue}") from error


def cancel(client: Any, task_id: str, queue: str) -> None:
    """Mark a job that was taken off its queue as cancelled."""
    job: Any = RQJob(task_id, connection=client, serializer=Inert)
    job.origin = queue
    job.get_status()
    job.cancel()


def refuse(client: Any, queue: str, eta: float | None, *, priority: int | None = None) -> None:
    """Refuse what RQ would take and not do.

    Raises:
        Unsupported: with the reason.
    """
    if priority is not None:
        raise Unsupported("broker", "RQ has no priorities")
    if eta is not None and not client.exists(f"rq:scheduler-lock:{queue}"):
        raise Unsupported("config", f"no scheduler runs for {queue}: rq worker --with-scheduler")
