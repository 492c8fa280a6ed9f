"""Queues of RabbitMQ (AioPikaBroker). The rule: a connection of our own per verb, closed after it.

What such a broker keeps of its queues has other names in each of its releases, and the oldest send
by the name of the task: a queue is chosen only where a message really goes there.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import aio_pika
from aiormq.exceptions import AMQPConnectionError, ChannelNotFoundEntity
from z4j_core import Capability, Delivery, EngineUnavailable, QueueDepth, Unsupported
from z4j_core.place import place

from .message import number, seconds
from .stores import Store, Wish

CONNECT_S = 3.0
_DEFAULT = "amqp://guest:guest@localhost:5672"
_PORT = 5672


class Rabbit(Store):
    """A broker that publishes to an exchange and reads one queue or more."""

    lacks: Mapping[Capability, str] = {Capability.PEEK: "broker"}

    @property
    def place(self) -> str:
        """Identity of the virtual host."""
        parts = urlsplit(self._url)
        return place("amqp", parts.hostname, parts.port or _PORT, unquote(parts.path[1:]) or "/")

    @property
    def delivery(self) -> Delivery:
        """What a dead worker had not acknowledged is handed out at once."""
        return Delivery(redelivers_after_s=0.0)

    @property
    def queues(self) -> tuple[str, ...]:
        """Queues the broker reads."""
        named: Any = getattr(self.broker, "_task_queues", None)
        if named:
            return tuple(each.name for each in named)
        return (str(getattr(self.broker, "_queue_name", None) or "taskiq"),)

    def queue_of(self, labels: Mapping[str, Any]) -> str:
        """A single queue gets all messages; of several, a label names one."""
        routed = labels.get(self._routing)
        first, *others = self.queues
        return str(routed) if routed and others else first

    def route(self, labels: Mapping[str, Any], wish: Wish) -> dict[str, Any]:
        """Labels for one of the broker's queues, for queues with priorities and with delays.

        Raises:
            Unsupported: the broker is not made for that.
        """
        if wish.queue is not None and wish.queue not in self.queues:
            raise Unsupported("config", f"the broker knows {', '.join(self.queues)}")
        if wish.priority is not None and not self._has_priorities:
            raise Unsupported("config", "its queues have no priorities (max_priority)")
        if wish.delay_s is not None and not self._has_delays:
            raise Unsupported("config", "the broker has no queue for delays (delay_queue)")
        found: dict[str, Any] = {}
        if len(self.queues) > 1:
            found[self._routing] = wish.queue or labels.get(self._routing) or self.queues[0]
        if wish.priority is not None:
            found[getattr(self.broker, "_label_for_priority", "priority")] = wish.priority
        if wish.delay_s is not None:
            if found and found[self._routing] != self._after_delay:
                raise Unsupported("config", f"what was delayed comes to {self._after_delay}")
            found["delay"] = wish.delay_s if self._is_new else max(round(wish.delay_s), 1)
        return found

    def delay_s(self, labels: Mapping[str, Any]) -> float | None:
        """What its label says, since this broker heeds it."""
        return seconds(labels, "delay") if self._is_new else number(labels, "delay") or None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Any]:
        """The same broker with a connection of its own."""
        async with self._connected() as channel:
            lent = copy.copy(self.broker)
            lent.write_channel = channel
            yield lent

    async def depth(self, queue: str) -> QueueDepth:
        """What RabbitMQ answers when the queue is declared passively."""
        async with self._connected() as channel:
            declared = (await self._found(channel, queue)).declaration_result
            return QueueDepth(declared.message_count, consumers=declared.consumer_count)

    async def purge(self, queue: str) -> int:
        """Drop what no worker holds; RabbitMQ counts."""
        async with self._connected() as channel:
            purged = await (await self._found(channel, queue)).purge()
            return int(purged.message_count or 0)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        given: dict[str, Any] = {"timeout": CONNECT_S, **getattr(self.broker, "_conn_kwargs", {})}
        try:
            connection = await aio_pika.connect(self.broker.url, **given)
        except (AMQPConnectionError, OSError, TimeoutError) as error:
            raise EngineUnavailable(f"RabbitMQ does not answer: {error}") from error
        async with connection:
            yield await connection.channel()

    async def _found(self, channel: Any, queue: str) -> Any:
        try:
            return await channel.declare_queue(queue, passive=True)
        except ChannelNotFoundEntity as error:
            raise Unsupported("config", f"there is no queue {queue}") from error

    @property
    def _url(self) -> str:
        return str(self.broker.url or _DEFAULT)

    @property
    def _routing(self) -> str:
        return str(getattr(self.broker, "_label_for_routing", "queue_name"))

    @property
    def _is_new(self) -> bool:
        return hasattr(self.broker, "_task_queues")

    @property
    def _has_priorities(self) -> bool:
        named: Any = getattr(self.broker, "_task_queues", None) or ()
        given = [each.max_priority for each in named] or [
            getattr(self.broker, "_max_priority", None)
        ]
        return None not in given

    @property
    def _after_delay(self) -> str:
        """The queue delayed messages come to: with a queue for delays it is always the same one."""
        delays: Any = getattr(self.broker, "_delay_queue", None)
        return str(getattr(delays, "routing_key", None) or self.queues[0])

    @property
    def _has_delays(self) -> bool:
        has_plugin = getattr(self.broker, "_delayed_message_exchange_plugin", False)
        return bool(has_plugin or not self._is_new or getattr(self.broker, "_delay_queue", None))
