"""Which queue a message goes to. The rule: as the app declares it, else the routing key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class Routes:
    """Queues of one app by what messages to them carry; used by several threads."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._known: dict[tuple[str, str], str] = {}

    def queue_of(self, exchange: str | None, routing_key: str | None) -> str:
        """Name the queue a message was routed to; direct to a queue, the key is its name."""
        if not exchange:
            return routing_key or ""
        key = (exchange, routing_key or "")
        known = self._known.get(key)
        if known is None:
            known = _bound(self._app.amqp.queues, *key)
            if known is None:
                return key[1]
            self._known[key] = known
        return known


def _bound(queues: Any, exchange: str, key: str) -> str | None:
    """A queue that gets such a message: one this process consumes before one it only knows."""
    for found in (queues.consume_from, queues):
        for name, queue in list(found.items()):
            fits = _FITS.get(queue.exchange.type, _is_key)
            if queue.exchange.name == exchange and fits(queue.routing_key or "", key):
                return str(name)
    return None


def _is_key(bound: str, key: str) -> bool:
    return bound == key


def is_topic(bound: str, key: str) -> bool:
    """Whether a pattern of words takes a key: `*` stands for one word, `#` for any number."""
    return _takes(bound.split("."), key.split("."))


def _takes(pattern: Sequence[str], words: Sequence[str]) -> bool:
    if not pattern:
        return not words
    head, *rest = pattern
    if head == "#":
        return any(_takes(rest, words[n:]) for n in range(len(words) + 1))
    return bool(words) and head in ("*", words[0]) and _takes(rest, words[1:])


_FITS: Mapping[str, Callable[[str, str], bool]] = {
    "topic": is_topic,
    "fanout": lambda _bound, _key: True,
}
