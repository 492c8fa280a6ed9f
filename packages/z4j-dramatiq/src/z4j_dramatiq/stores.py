"""What a broker holds, whichever it is. The rule: what it cannot tell is refused, never guessed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any, NoReturn, Protocol

from z4j_core import Capability, Delivery, Page, QueueDepth, Unsupported
from z4j_core.place import place

_MODULES = {"dramatiq.brokers.redis": "redis", "dramatiq.brokers.rabbitmq": "rabbitmq"}
_LOOKS = (Capability.DEPTH, Capability.PURGE, Capability.PEEK, Capability.DEAD_LETTERS,
          Capability.REQUEUE)  # fmt: skip


class Store(Protocol):
    """A broker's queues as they are kept."""

    place: str
    """Identity of the broker."""
    delivery: Delivery
    lacks: Mapping[Capability, str]
    """Verbs that this broker cannot do, with the reason."""
    priority: str | None
    """Why a message has no priority here; None when it may have one."""

    def reached(self) -> AbstractContextManager[Any]:
        """Know that the broker has just answered.

        Raises:
            EngineUnavailable: it did not. Nothing was done.
            Indeterminate: it went away later. It may have been done.
        """
        ...

    def depth(self, queue: str) -> QueueDepth: ...
    def purge(self, queue: str) -> int: ...
    def peek(self, queue: str, limit: int, cursor: str | None) -> Page: ...
    def dead_letters(self, queue: str, limit: int, cursor: str | None) -> Page: ...
    def taken(self, queue: str, task_id: str) -> AbstractContextManager[bytes]:
        """Lend a dead letter; it is taken out when what is done with it did not fail.

        Raises:
            TaskNotFound: it is not there.
        """
        ...

    def close(self) -> None: ...


class Unknown:
    """A broker in memory, or one that Dramatiq does not come with."""

    delivery = Delivery()
    lacks: Mapping[Capability, str] = dict.fromkeys(_LOOKS, "broker")
    priority: str | None = "broker"

    def __init__(self, broker: Any) -> None:
        self.place = place(type(broker).__qualname__, None, os.getpid(), id(broker))

    def reached(self) -> AbstractContextManager[Any]:
        """It is here."""
        return nullcontext()

    def depth(self, queue: str) -> NoReturn:
        """Not known."""
        raise Unsupported("broker", f"{queue} cannot be looked into")

    def purge(self, queue: str) -> NoReturn:
        """Not known."""
        self.depth(queue)

    def peek(self, queue: str, limit: int, cursor: str | None) -> NoReturn:
        """Not known."""
        self.depth(queue)

    def dead_letters(self, queue: str, limit: int, cursor: str | None) -> NoReturn:
        """Not known."""
        self.depth(queue)

    def taken(self, queue: str, task_id: str) -> NoReturn:
        """Not known."""
        self.depth(queue)

    def close(self) -> None:
        """Nothing is open."""


def store_of(broker: Any) -> Store:
    """What is known of a broker's queues; no driver is imported that its broker has not."""
    for cls in type(broker).__mro__:
        name = _MODULES.get(cls.__module__)
        if name is not None:
            store: Store = import_module(f".{name}", __package__).Queues(broker)
            return store
    return Unknown(broker)
