"""Lists of Redis (ListQueueBroker). The rule: the oldest message is the last one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from z4j_core import Delivery, Page, QueueDepth

from .message import held, is_of
from .redis_client import MAX_SOUGHT, RedisStore, reached

_PAGE = 500


class Lists(RedisStore):
    """Senders push on the left, workers pop on the right."""

    @property
    def delivery(self) -> Delivery:
        """At most once: what was popped is gone from Redis."""
        return Delivery()

    def depth(self, queue: str) -> QueueDepth:
        """Count the messages."""
        with reached(self.client) as client:
            return QueueDepth(int(client.llen(queue)))

    def purge(self, queue: str) -> int:
        """Drop them."""
        with reached(self.client) as client, client.pipeline() as pipeline:
            pipeline.llen(queue)
            pipeline.delete(queue)
            return int(pipeline.execute()[0])

    def peek(self, queue: str, limit: int, cursor: str | None) -> Page:
        """The next messages, oldest first; none is moved."""
        at = int(cursor or 0)
        with reached(self.client) as client:
            rows = client.lrange(queue, -at - limit, -at - 1)[::-1]
        items = tuple(held(raw, queue, self.broker.serializer) for raw in rows)
        return Page(items, str(at + len(items)) if len(items) == limit else None)

    def take(self, task_id: str, queues: Sequence[str]) -> bytes | None:
        """Take a message out of whichever list holds it."""
        with reached(self.client) as client:
            for queue in queues:
                for raw in self._all(client, queue):
                    if is_of(raw, task_id, self.broker.serializer) and client.lrem(queue, 1, raw):
                        return raw
        return None

    def put_back(self, message: Any) -> bool:
        """Back to where it was taken from, so that it is the next one again."""
        with reached(self.client) as client:
            client.rpush(self.broker.queue_name, message)
        return True

    def _all(self, client: Any, queue: str) -> Iterator[bytes]:
        for start in range(0, MAX_SOUGHT, _PAGE):
            rows = client.lrange(queue, start, start + _PAGE - 1)
            yield from rows
            if len(rows) < _PAGE:
                return
