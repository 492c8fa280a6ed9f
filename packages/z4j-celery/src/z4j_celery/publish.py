"""Sending runs. The rule: each is sent once, over a connection nobody else uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from celery.utils import uuid
from z4j_core import Job
from z4j_core.scheduler.fires import HEADER

from .connections import sending
from .message import Packed, renewed


class Resent(NamedTuple):
    """A message that went out again: its new id, the one it had, and where it was sent."""

    id: str
    old_id: str
    exchange: str
    routing_key: str
    headers: dict[str, Any]
    priority: int | None


def send(app: Any, job: Job) -> str:
    """Send a run and return its id; a task not imported here is sent by name.

    Raises:
        EngineUnavailable: no broker, nothing was sent.
        Indeterminate: it may have been sent.
    """
    options: dict[str, Any] = {
        **job.options,
        "task_id": job.id or uuid(),
        "queue": job.queue,
        "priority": job.priority,
        "eta": _aware(job.eta),
        "expires": _aware(job.expires),
        "headers": {**job.headers, HEADER: job.fire} if job.fire else dict(job.headers) or None,
        "retry": False,
    }
    options = {key: value for key, value in options.items() if value is not None}
    task = app.tasks.get(job.task)
    with sending(app) as connection:
        if task is not None:
            sent = task.apply_async(job.args, job.kwargs, connection=connection, **options)
        else:
            sent = app.send_task(job.task, job.args, job.kwargs, connection=connection, **options)
    return str(sent.id)


def resend(
    app: Any, packed: Packed, task_id: str | None, queue: str | None, eta: float | None
) -> Resent:
    """Send a message again, body unread, as the first attempt of a new run.

    Raises:
        EngineUnavailable: no broker, nothing was sent.
        Indeterminate: it may have been sent.
    """
    old_id = packed.headers["id"]
    new_id = task_id if task_id and task_id != old_id else uuid()
    due = _aware(eta)
    headers = renewed(packed, new_id, due.isoformat() if due else None)
    exchange, routing_key = ("", queue) if queue else (packed.exchange, packed.routing_key)
    declare = [] if exchange else [app.amqp.queues[routing_key]]
    with sending(app) as connection:
        connection.Producer(auto_declare=False).publish(
            packed.body.decode() if packed.is_text else packed.body,
            exchange=exchange, routing_key=routing_key, headers=headers, declare=declare,
            content_type=packed.content_type, content_encoding=packed.content_encoding,
            correlation_id=new_id, priority=packed.priority, retry=False, delivery_mode=2,
        )  # fmt: skip
    return Resent(new_id, old_id, exchange, routing_key, headers, packed.priority)


def _aware(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
