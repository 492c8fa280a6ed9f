"""Sending messages. The rule: what Dramatiq would take and not do is refused before it is sent."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from dramatiq.common import current_millis
from dramatiq.errors import BrokerError, QueueNotFound
from dramatiq.message import Message
from z4j_core import Indeterminate, Job, TaskNotFound, Unsupported
from z4j_core.scheduler.fires import HEADER

from .stores import Store

_MS = 1000
_NOBODY = nullcontext()


def message_of(broker: Any, job: Job) -> Any:
    """A message for a job; of an actor that is not declared here its name is enough."""
    actor, options = broker.actors.get(job.task), {**job.headers, **job.options}
    if job.fire is not None:
        options[HEADER] = job.fire
    if job.priority is not None:
        options["broker_priority"] = job.priority
    made: Any = Message(
        queue_name=job.queue or (actor.queue_name if actor else "default"),
        actor_name=job.task,
        args=tuple(job.args),
        kwargs=dict(job.kwargs),
        options=options,
    )
    if job.expires is not None:
        made.options["max_age"] = max(int(job.expires * _MS) - made.message_timestamp, 1)
    return made if job.id is None else made.copy(message_id=job.id)


def refuse(store: Store, job: Job) -> None:
    """Refuse a priority that the broker would not look at.

    Raises:
        Unsupported: with the reason.
    """
    if job.priority is not None and store.priority is not None:
        raise Unsupported(
            store.priority, "only RabbitMQ with `max_priority` orders its messages by priority"
        )


def send(
    broker: Any,
    store: Store,
    message: Any,
    eta: float | None = None,
    telling: AbstractContextManager[Any] = _NOBODY,
) -> str:
    """Send a message, now or at `eta`, and return its id.

    Raises:
        EngineUnavailable: no broker, nothing was sent.
        Indeterminate: it may have been sent.
        TaskNotFound: a broker in memory has no such queue.
    """
    with store.reached(), telling:
        delay = None if eta is None else max(int(eta * _MS) - current_millis(), 0)
        try:
            broker.enqueue(message, delay=delay)
        except QueueNotFound as error:
            raise TaskNotFound(f"no queue {message.queue_name}") from error
        except BrokerError as error:
            raise Indeterminate(f"the broker went away: {error!r}") from error
    return str(message.message_id)
