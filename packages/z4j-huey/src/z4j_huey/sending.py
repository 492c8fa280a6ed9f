"""Sending tasks. The rule: what Huey tells of by itself is told by it, the rest is returned."""

from __future__ import annotations

from typing import Any

from huey.api import Task
from z4j_core import EventKind, Job, Native, TaskEvent, Unsupported

from .facts import huey_time, moment
from .message import made, renewed


def send(huey: Any, job: Job) -> tuple[str, TaskEvent | None]:
    """Send a task and return its id, with the fact of it if Huey does not tell.

    A task of another part of the app goes as a message by its name, with Huey's own defaults.

    Raises:
        Unsupported: headers, which messages of Huey do not have.
    """
    if job.headers:
        raise Unsupported("broker", "messages of Huey have no headers")
    kind = huey._registry._registry.get(job.task)  # noqa: SLF001  (`string_to_task` raises)
    args, kwargs = tuple(job.args), dict(job.kwargs)
    if kind is not None:
        task = kind(args, kwargs, id=job.id, eta=huey_time(job.eta, utc=huey.utc),
                    priority=job.priority, expires=moment(job.expires), **job.options)  # fmt: skip
        huey.enqueue(task)
        return str(task.id), None
    task_id = job.id or new_id()
    fields = {"retries": 0, "retry_delay": 0, "retry_backoff": 0, **job.options, "id": task_id,
              "name": job.task, "eta": job.eta, "expires": job.expires, "args": args,
              "kwargs": kwargs, "priority": job.priority}  # fmt: skip
    return task_id, _put(huey, made(huey, fields), job.eta)


def resend(huey: Any, native: Native, task_id: str | None, eta: float | None) -> TaskEvent:
    """Send a packed task again and return the fact of it.

    Raises:
        Unsupported: it cannot be decoded here.
    """
    message, old_id = renewed(huey, native, new_id(), eta)
    if task_id not in (None, old_id):
        message = message._replace(id=task_id)
    return _put(huey, message, eta)._replace(retry_of=old_id)


def new_id() -> str:
    """An id as Huey makes them."""
    return str(Task().id)


def _put(huey: Any, message: Any, eta: float | None) -> TaskEvent:
    huey.storage.enqueue(huey.serializer.serialize(message), message.priority)
    kind = EventKind.ENQUEUED if eta is None else EventKind.SCHEDULED
    return TaskEvent(kind, message.id, 0, message.name, huey.name, args=message.args,
                     kwargs=message.kwargs, tries_left=message.retries, due_at=eta,
                     priority=message.priority)  # fmt: skip
