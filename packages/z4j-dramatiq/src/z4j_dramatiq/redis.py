"""Dramatiq's keys in Redis. The rule: a message is moved or read field by field, never loaded.

A queue is a list of keys into a hash of messages; a message's key is not its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as Late
from redis.retry import Retry
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
)
from z4j_core.place import redis_place
from z4j_core.replay.redis import RedisReplay
from z4j_core.scheduler.lease import LeaseStore
from z4j_core.scheduler.leases.offered import store_in

from .message import fields_of, held

CONNECT_S = 2.0
ANSWER_S = 3.0
_DOWN = (Disconnected, Late)
_USUAL = "dramatiq"
_MS = 1000


class Queues:
    """The queues of a `RedisBroker`, over connections that only z4j uses."""

    lacks: Mapping[Capability, str] = {}
    priority: str | None = "broker"

    def __init__(self, broker: Any) -> None:
        space = broker.namespace
        self.place = redis_place(broker.client.connection_pool, "" if space == _USUAL else space)
        self.delivery = Delivery(redelivers_after_s=broker.heartbeat_timeout / _MS)
        self._space = space
        self._client = client_like(broker.client)

    @contextmanager
    def reached(self) -> Iterator[Any]:
        """Lend a client that has just answered."""
        try:
            self._client.ping()
        except _DOWN as error:
            raise EngineUnavailable(f"Redis does not answer: {error}") from error
        try:
            yield self._client
        except _DOWN as error:
            raise Indeterminate(f"Redis went away: {error}") from error

    def depth(self, queue: str) -> QueueDepth:
        """Count what waits, is put off, was taken and is dead, and say how old the first is."""
        with self.reached() as client, client.pipeline(transaction=False) as pipeline:
            pipeline.llen(self._key(queue))
            pipeline.hlen(self._key(queue, ".msgs"))
            pipeline.hlen(self._key(queue, ".DQ.msgs"))
            pipeline.zcard(self._key(queue, ".XQ"))
            pipeline.lindex(self._key(queue), 0)
            pipeline.time()
            ready, known, delayed, dead, first, now = pipeline.execute()
            sent = self._sent_ms(client, queue, first)
        age_s = None if sent is None else max(now[0] + now[1] / 1e6 - sent / _MS, 0.0)
        return QueueDepth(ready, delayed, max(known - ready, 0), dead, oldest_s=age_s)

    def purge(self, queue: str) -> int:
        """Drop what waits; Dramatiq's `flush` also takes what is processed, put off and dead."""
        with self.reached() as client:
            with client.pipeline() as pipeline:
                pipeline.lrange(self._key(queue), 0, -1)
                pipeline.delete(self._key(queue))
                keys: Sequence[bytes] = pipeline.execute()[0]
            for at in range(0, len(keys), _MS):
                client.hdel(self._key(queue, ".msgs"), *keys[at : at + _MS])
        return len(keys)

    def peek(self, queue: str, limit: int, cursor: str | None) -> Page:
        """The next messages, oldest first."""
        at = int(cursor or 0)
        with self.reached() as client:
            keys = client.lrange(self._key(queue), at, at + limit - 1)
            return self._page(client, queue, "", keys, (at, limit))

    def dead_letters(self, queue: str, limit: int, cursor: str | None) -> Page:
        """Messages that failed or were cancelled while they ran, oldest first."""
        at = int(cursor or 0)
        with self.reached() as client:
            keys = client.zrange(self._key(queue, ".XQ"), at, at + limit - 1)
            return self._page(client, queue, ".XQ", keys, (at, limit))

    @contextmanager
    def taken(self, queue: str, task_id: str) -> Iterator[bytes]:
        """Take a dead letter out once it was sent: what breaks between may send it twice."""
        messages = self._key(queue, ".XQ.msgs")
        with self.reached() as client:
            key, raw = self._found(client, messages, task_id)
            yield raw
            with client.pipeline() as pipeline:
                pipeline.zrem(self._key(queue, ".XQ"), key)
                pipeline.hdel(messages, key)
                pipeline.execute()

    def replay_store(self) -> RedisReplay:
        """Keep messages for a retry in the broker's own Redis."""
        return RedisReplay(self._client)

    def lease_store(self, group: str, boottime: Callable[[], float]) -> LeaseStore:
        """Keep the leases of a group there too."""
        return store_in(self._client, group, boottime, is_ours=True)

    def close(self) -> None:
        """Let go of our connections."""
        self._client.close()

    def _key(self, queue: str, end: str = "") -> str:
        return f"{self._space}:{queue}{end}"

    def _sent_ms(self, client: Any, queue: str, key: bytes | None) -> float | None:
        raw = None if key is None else client.hget(self._key(queue, ".msgs"), key)
        sent = None if raw is None else fields_of(raw).fields.get("message_timestamp")
        return sent if isinstance(sent, int | float) else None

    def _page(
        self, client: Any, queue: str, end: str, keys: Sequence[bytes], window: tuple[int, int]
    ) -> Page:
        raws = client.hmget(self._key(queue, f"{end}.msgs"), keys) if keys else []
        state = TaskState.FAILED if end else TaskState.QUEUED
        items: list[Held] = [
            held(raw, key.decode("utf-8", "replace"), queue, state)
            for key, raw in zip(keys, raws, strict=True)
            if raw is not None
        ]
        at, limit = window
        return Page(tuple(items), str(at + len(keys)) if len(keys) == limit else None)

    def _found(self, client: Any, messages: str, task_id: str) -> tuple[bytes, bytes]:
        for key, raw in client.hscan_iter(messages, count=_MS):
            if task_id.encode() in raw and fields_of(raw).fields.get("message_id") == task_id:
                return key, raw
        raise TaskNotFound(task_id)


def client_like(client: Any) -> Any:
    """Make a client of the same database, so that a verb never waits for the host's connections.

    A pool that finds its servers by other means (Sentinel) is shared.
    """
    pool = client.connection_pool
    if not isinstance(pool, ConnectionPool) or hasattr(pool, "sentinel_manager"):
        return client
    settings: dict[str, Any] = {
        **pool.connection_kwargs,
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": ANSWER_S,
        "decode_responses": False,
        "retry": Retry(NoBackoff(), 1),
    }
    return Redis(connection_pool=ConnectionPool(pool.connection_class, **settings))
