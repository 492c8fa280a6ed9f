"""Queues that are streams of Redis (RedisStreamBroker). The rule: waiting is what no consumer has.

Entries stay in a stream after they were acknowledged, so its length says nothing of what waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from redis.exceptions import ResponseError
from z4j_core import Delivery, Page, QueueDepth, Unsupported, Worker

from .message import held, is_of
from .redis_client import MAX_SOUGHT, RedisStore, reached
from .stores import Wish

_PAGE = 500
_FIRST = "0-0"


class Streams(RedisStore):
    """One consumer group reads; another group has its own idea of what waits."""

    @property
    def delivery(self) -> Delivery:
        """What a consumer held for too long is claimed by another."""
        return Delivery(redelivers_after_s=getattr(self.broker, "idle_timeout", 600_000) / 1000)

    @property
    def queues(self) -> tuple[str, ...]:
        """Streams the broker reads."""
        return (self.broker.queue_name, *getattr(self.broker, "additional_streams", {}))

    def queue_of(self, labels: Mapping[str, Any]) -> str:
        """The stream a label names, in releases that heed it."""
        return super().queue_of(labels if self._heeds_labels else {})

    def route(self, labels: Mapping[str, Any], wish: Wish) -> dict[str, Any]:
        """Any stream can be named, in releases that heed that.

        Raises:
            Unsupported: a priority, a due time, or another stream in a release that sends to one.
        """
        if not self._heeds_labels and wish.queue not in (None, self.broker.queue_name):
            raise Unsupported("version", "this taskiq-redis sends to one stream alone")
        return super().route(labels, wish)

    @property
    def _heeds_labels(self) -> bool:
        """Whether the code that sends looks for the label; no attribute of the broker tells."""
        return "queue_name" in type(self.broker).kick.__code__.co_consts

    def depth(self, queue: str) -> QueueDepth:
        """Count what was not handed out, and what was and is not acknowledged."""
        with reached(self.client) as client:
            group = self._group(client, queue)
            waiting = sum(1 for _ in self._waiting(client, queue, group))
        if group is None:
            return QueueDepth(waiting)
        return QueueDepth(waiting, unacked=int(group["pending"]), consumers=int(group["consumers"]))

    def purge(self, queue: str) -> int:
        """Drop what was not handed out."""
        dropped = 0
        with reached(self.client) as client:
            ids = [entry for entry, _ in self._waiting(client, queue, self._group(client, queue))]
            for start in range(0, len(ids), _PAGE):
                dropped += int(client.xdel(queue, *ids[start : start + _PAGE]))
        return dropped

    def peek(self, queue: str, limit: int, cursor: str | None) -> Page:
        """The next messages, oldest first; none is handed out."""
        with reached(self.client) as client:
            start = cursor or self._last(self._group(client, queue))
            rows = client.xrange(queue, f"({start}", "+", count=limit)
        items = tuple(held(fields[b"data"], queue, self.broker.serializer) for _, fields in rows)
        return Page(items, rows[-1][0].decode() if len(rows) == limit else None)

    def take(self, task_id: str, queues: Sequence[str]) -> bytes | None:
        """Take a message nobody was handed; one that was is its worker's to refuse."""
        with reached(self.client) as client:
            for queue in queues:
                group = self._group(client, queue)
                for entry, raw in self._waiting(client, queue, group):
                    if not is_of(raw, task_id, self.broker.serializer):
                        continue
                    client.xdel(queue, entry)
                    last = self._last(self._group(client, queue))
                    return None if _order(entry) <= _order(last) else raw
        return None

    def workers(self) -> Sequence[Worker]:
        """Consumers of the group, with or without z4j in them."""
        with reached(self.client) as client:
            try:
                rows = client.xinfo_consumers(
                    self.broker.queue_name, self.broker.consumer_group_name
                )
            except ResponseError:
                return ()
        return [
            Worker(_text(row["name"]), busy=int(row["pending"]), queues=self.queues) for row in rows
        ]

    def _group(self, client: Any, queue: str) -> Any:
        """The broker's consumer group of a stream, None where it has none."""
        try:
            groups = client.xinfo_groups(queue)
        except ResponseError:
            return None
        ours = [each for each in groups if _text(each["name"]) == self.broker.consumer_group_name]
        return ours[0] if ours else None

    def _waiting(self, client: Any, queue: str, group: Any) -> Iterator[tuple[bytes, bytes]]:
        start: str = self._last(group)
        for _ in range(0, MAX_SOUGHT, _PAGE):
            rows = client.xrange(queue, f"({start}", "+", count=_PAGE)
            for entry, fields in rows:
                yield entry, fields[b"data"]
            if len(rows) < _PAGE:
                return
            start = _text(rows[-1][0])

    def _last(self, group: Any) -> str:
        return _FIRST if group is None else _text(group["last-delivered-id"])


def _order(entry: str | bytes) -> tuple[int, int]:
    time_ms, _, number = _text(entry).partition("-")
    return int(time_ms), int(number or 0)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
