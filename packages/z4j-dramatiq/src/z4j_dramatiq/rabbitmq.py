"""Dramatiq's queues in RabbitMQ. The rule: what waits is counted and never touched.

Looking into a queue means to take its messages and give them back, which marks them. Of those in a
dead-letter queue nobody minds, as long as it does not count how often that happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pika
from dramatiq.brokers.rabbitmq import DEAD_MESSAGE_TTL
from pika.exceptions import AMQPChannelError, AMQPError
from z4j_core import (
    Capability,
    Delivery,
    EngineUnavailable,
    Held,
    Indeterminate,
    Page,
    QueueDepth,
    TaskNotFound,
    TaskState,
    Unsupported,
)
from z4j_core.place import place

from .message import fields_of, held

MAX_DEAD = 1000
"""How many dead letters are taken in the hand at once."""
_OF_A_DEAD_QUEUE = {"x-message-ttl": DEAD_MESSAGE_TTL, "x-queue-type": "classic"}


class Queues:
    """The queues of a `RabbitmqBroker`, over a connection of its own for each verb."""

    delivery = Delivery(redelivers_after_s=0.0)
    lacks: Mapping[Capability, str] = {Capability.PEEK: "broker"}

    def __init__(self, broker: Any) -> None:
        first = broker.parameters
        first = first[0] if isinstance(first, list | tuple) else first
        self.place = place("amqp", first.host, first.port, first.virtual_host)
        self.priority = None if broker.max_priority else "config"
        self._broker = broker

    @contextmanager
    def reached(self) -> Iterator[Any]:
        """Lend a connection; the one Dramatiq has for this thread may have died of its rest."""
        try:
            connection = pika.BlockingConnection(self._broker.parameters)
        except (AMQPError, OSError) as error:
            raise EngineUnavailable(f"RabbitMQ does not answer: {error!r}") from error
        del self._broker.connection
        try:
            yield connection
        except AMQPError as error:
            raise Indeterminate(f"RabbitMQ went away: {error!r}") from error
        finally:
            del self._broker.connection
            with suppress(AMQPError):
                connection.close()

    def depth(self, queue: str) -> QueueDepth:
        """Count what waits and is dead; what was taken or put off is with the workers.

        Raises:
            TaskNotFound: there is no such queue.
        """
        with self.reached() as connection:
            waiting = _declared(connection, queue)
            if waiting is None:
                raise TaskNotFound(f"no queue {queue}")
            dead = _declared(connection, f"{queue}.XQ")
        return QueueDepth(
            waiting.message_count,
            dead=None if dead is None else dead.message_count,
            consumers=waiting.consumer_count,
        )

    def purge(self, queue: str) -> int:
        """Drop what waits; what workers hold, is put off or dead stays.

        Raises:
            TaskNotFound: there is no such queue.
        """
        with self.reached() as connection:
            try:
                return int(connection.channel().queue_purge(queue).method.message_count)
            except AMQPChannelError as error:
                raise TaskNotFound(f"no queue {queue}") from error

    def peek(self, queue: str, limit: int, cursor: str | None) -> Page:
        """Not without marking what waits as redelivered.

        Raises:
            Unsupported: always.
        """
        raise Unsupported("broker", "looking into a queue marks its messages as redelivered")

    def dead_letters(self, queue: str, limit: int, cursor: str | None) -> Page:
        """Messages that failed or were cancelled while they ran, oldest first."""
        at = int(cursor or 0)
        rows: list[Held] = []
        with self.reached() as connection:
            for index, (tag, raw) in enumerate(_dead(connection.channel(), queue)):
                if index >= at:
                    rows.append(held(raw, str(tag), queue, TaskState.FAILED))
                if len(rows) == limit or index == MAX_DEAD:
                    break
        return Page(tuple(rows), str(at + len(rows)) if len(rows) == limit else None)

    @contextmanager
    def taken(self, queue: str, task_id: str) -> Iterator[bytes]:
        """Take a dead letter out once it was sent; closing the channel gives the others back."""
        with self.reached() as connection:
            channel = connection.channel()
            for tag, raw in _dead(channel, queue):
                if task_id.encode() in raw and fields_of(raw).fields.get("message_id") == task_id:
                    yield raw
                    channel.basic_ack(tag)
                    return
        raise TaskNotFound(task_id)

    def close(self) -> None:
        """Nothing stays open."""


def _declared(connection: Any, queue: str) -> Any:
    """What RabbitMQ says of a queue; None when there is none."""
    try:
        return connection.channel().queue_declare(queue, passive=True).method
    except AMQPChannelError:
        return None


def _dead(channel: Any, queue: str) -> Iterator[tuple[int, bytes]]:
    """Dead letters, each in the hand until it is acknowledged or the channel closes.

    Raises:
        Unsupported: a queue that drops what was given back too often.
    """
    name = f"{queue}.XQ"
    try:
        channel.queue_declare(name, durable=True, arguments=_OF_A_DEAD_QUEUE)
    except AMQPChannelError as error:
        raise Unsupported("broker", f"{name} is not a classic queue of Dramatiq") from error
    while True:
        method, _, raw = channel.basic_get(name)
        if method is None:
            return
        yield method.delivery_tag, raw
