"""Where Dramatiq is listened to. The rule: the last engine that leaves takes all of it along.

`after_*` hooks run last to first: who is first in the list hears last, when Retries has already
decided. `before_*` hooks run first to last: who is last hears that nobody skipped the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

from dramatiq.actor import Actor
from dramatiq.common import q_name
from dramatiq.middleware import Middleware

from . import live

_DEFAULT_TIMEOUT_MS = 5000
_users: list[object] = []
_actor: Any = Actor


class Heard(Middleware):
    """Passes on what Dramatiq tells to functions that have the names of its signals."""

    def __init__(self, told: Mapping[str, Callable[..., None]]) -> None:
        for name, function in told.items():
            setattr(self, name, function)


def surround(broker: Any, first: Heard, last: Heard) -> None:
    """Put two of them around all other middleware of a broker, also if they were there before.

    The list is replaced: another thread may be going through the old one.
    """
    others = [each for each in broker.middleware if each is not first and each is not last]
    broker.middleware = [first, *others, last]


def withdraw(broker: Any, *ours: Heard) -> None:
    """Take them out."""
    broker.middleware = [each for each in broker.middleware if each not in ours]


def gate_consumers(broker: Any, gated: Callable[[Any, str, float], Any]) -> None:
    """Let `gated` put something around each consumer of a queue, but not of a delay queue."""
    original = broker.consume

    @wraps(original)
    def consume(queue_name: str, *args: Any, **kwargs: Any) -> Any:
        consumer = original(queue_name, *args, **kwargs)
        if q_name(queue_name) != queue_name:
            return consumer
        timeout_ms = kwargs.get("timeout", _DEFAULT_TIMEOUT_MS)
        return gated(consumer, queue_name, timeout_ms / 1000)

    broker.consume = consume


def ungate_consumers(broker: Any) -> None:
    """Give the broker its own method back."""
    vars(broker).pop("consume", None)


def watch_actors(user: object) -> None:
    """Be around the code of each actor that a worker calls, as long as somebody wants it."""
    _users.append(user)
    if hasattr(_actor.__call__, "__wrapped__"):
        return
    original = _actor.__call__

    @wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        attempt = live.here()
        if attempt is None or attempt.has_begun:
            return original(self, *args, **kwargs)
        return attempt.perform(partial(original, self, *args, **kwargs))

    _actor.__call__ = __call__


def unwatch_actors(user: object) -> None:
    """Want it no longer."""
    _users.remove(user)
    if not _users:
        _actor.__call__ = _actor.__call__.__wrapped__
