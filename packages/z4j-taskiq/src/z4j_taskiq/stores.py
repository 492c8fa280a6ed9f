"""Kinds of brokers. The rule: what a broker cannot tell or do is said with its reason, never faked.

Each kind has a module of its own, which is imported only with a broker of that kind.
"""

from __future__ import annotations

import copy
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

from z4j_core import Capability, Delivery, Unsupported, Worker
from z4j_core.place import place as place_of
from z4j_core.scheduler.lease import LeaseStore

_KINDS = {
    "ListQueueBroker": ("lists", "Lists"),
    "RedisStreamBroker": ("streams", "Streams"),
    "AioPikaBroker": ("rabbit", "Rabbit"),
    "BaseJetStreamBroker": ("jetstream", "JetStream"),
    "InMemoryBroker": ("stores", "Store"),
    "AsyncBroker": ("stores", "Store"),
}
_ADDRESSES = ("url", "servers", "bootstrap_servers", "_url", "dsn")
QUEUE_VERBS = (Capability.DEPTH, Capability.PEEK, Capability.PURGE)


class Wish(NamedTuple):
    """How a message is to be sent."""

    queue: str | None = None
    priority: int | None = None
    delay_s: float | None = None


class Store:
    """A broker of which only the interface of taskiq is known."""

    lacks: Mapping[Capability, str] = dict.fromkeys(QUEUE_VERBS, "broker")

    def __init__(self, broker: Any) -> None:
        self.broker = broker

    @property
    def place(self) -> str:
        """Identity of broker and namespace."""
        kind = type(self.broker)
        found = [getattr(self.broker, name, None) for name in _ADDRESSES]
        own = f"{os.getpid()} {id(self.broker):x}" if self.is_eager else ""
        where = next((str(each) for each in found if each), own)
        return place_of(f"{kind.__module__}.{kind.__qualname__}", where, 0, "")

    @property
    def delivery(self) -> Delivery:
        """Nobody knows."""
        return Delivery(known=False)

    @cached_property
    def is_eager(self) -> bool:
        """Whether tasks run where they are sent."""
        return any(each.__name__ == "InMemoryBroker" for each in type(self.broker).__mro__)

    @property
    def queues(self) -> tuple[str, ...]:
        """Queues the broker reads."""
        return (str(getattr(self.broker, "queue_name", None) or "taskiq"),)

    def queue_of(self, labels: Mapping[str, Any]) -> str:
        """The queue a message with these labels goes to."""
        return str(labels.get("queue_name") or self.queues[0])

    def route(self, labels: Mapping[str, Any], wish: Wish) -> dict[str, Any]:
        """Labels, beside those a message has, that send it as is wished.

        Raises:
            Unsupported: this broker would take them and do something else.
        """
        if self.is_eager:
            raise Unsupported("eager", "its tasks run in the process that sends them")
        if wish.priority is not None or wish.delay_s is not None:
            raise Unsupported("broker", "it knows neither priorities nor due times")
        if wish.queue is not None and wish.queue not in self.queues:
            raise Unsupported("broker", f"only {self.queues[0]} is known")
        return {}

    def delay_s(self, labels: Mapping[str, Any]) -> float | None:
        """How long the broker will hold a message back, where it does."""
        return None

    def reach(self) -> None:
        """Ask the broker whether it is there.

        Raises:
            EngineUnavailable: it is not; nothing was sent.
        """

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Any]:
        """A broker that sends as this one does, from the event loop of the caller."""
        yield copy.copy(self.broker)

    def take(self, task_id: str, queues: Sequence[str]) -> bytes | None:
        """Take a waiting message where no worker gets it any more."""
        return None

    def put_back(self, message: Any) -> bool:
        """Put a message back that was taken while its queue is paused; whether that is possible."""
        return False

    def depth(self, queue: str) -> Any:
        """Count a queue: a `QueueDepth`, or one to be awaited."""
        raise Unsupported("broker", queue)

    def purge(self, queue: str) -> Any:
        """Drop what waits in a queue: how many, or that to be awaited."""
        raise Unsupported("broker", queue)

    def peek(self, queue: str, limit: int, cursor: str | None) -> Any:
        """Waiting messages: a `Page`, or one to be awaited."""
        raise Unsupported("broker", f"{queue} {limit} {cursor}")

    def workers(self) -> Sequence[Worker]:
        """Workers the broker knows."""
        return ()

    def leases(self, group: str, boottime: Callable[[], float]) -> LeaseStore | None:
        """A store for the leases of a group in the broker; None: it is not made for that."""
        return None

    def replays(self) -> Any:
        """A store for messages in the broker.

        Raises:
            Unsupported: it is not made for that.
        """
        raise Unsupported("broker", "messages for a retry are kept in a file")


def store_of(broker: Any) -> Store:
    """What can be asked of a broker, by its class and those it derives from."""
    for kind in type(broker).__mro__:
        if kind.__name__ in _KINDS:
            module, name = _KINDS[kind.__name__]
            made: Store = getattr(import_module(f".{module}", __package__), name)(broker)
            return made
    raise TypeError(f"{broker!r} is no broker of taskiq")
