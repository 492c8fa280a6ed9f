"""Redis as z4j asks it. The rule: a client of our own, which no event loop owns."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import TimeoutError as Late
from z4j_core import EngineUnavailable, Indeterminate, Unsupported
from z4j_core.place import redis_place
from z4j_core.replay.redis import RedisReplay
from z4j_core.scheduler.lease import LeaseStore
from z4j_core.scheduler.leases.offered import store_in

from .stores import Store, Wish

CONNECT_S = 2.0
ANSWER_S = 3.0
MAX_SOUGHT = 10_000
"""How many waiting messages are looked through for one that is to be cancelled."""
_DOWN = (Disconnected, Late)
_TAKEN = frozenset(
    ("host", "port", "db", "path", "username", "password", "credential_provider", "protocol")
)


class RedisStore(Store):
    """A broker in Redis; queues are named by a label or else by the broker."""

    lacks: Mapping[Any, str] = {}

    def __init__(self, broker: Any) -> None:
        super().__init__(broker)
        self.client = client_like(broker.connection_pool)

    @property
    def place(self) -> str:
        """Identity of the database."""
        return redis_place(self.broker.connection_pool)

    def route(self, labels: Mapping[str, Any], wish: Wish) -> dict[str, Any]:
        """Any queue can be named.

        Raises:
            Unsupported: a priority, or a due time, which these brokers ignore.
        """
        if wish.priority is not None or wish.delay_s is not None:
            raise Unsupported("broker", "Redis brokers know neither priorities nor due times")
        return {} if wish.queue is None else {"queue_name": wish.queue}

    def reach(self) -> None:
        """Ask Redis."""
        with reached(self.client):
            pass

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Any]:
        """The same broker with a pool of its own."""
        pool = self.broker.connection_pool
        own = redis.asyncio.BlockingConnectionPool(
            connection_class=pool.connection_class, **pool.connection_kwargs
        )
        lent = copy.copy(self.broker)
        lent.connection_pool = own
        try:
            yield lent
        finally:
            await own.disconnect()

    def replays(self) -> RedisReplay:
        """Keep messages for a retry in the broker's own Redis."""
        return RedisReplay(self.client)

    def leases(self, group: str, boottime: Callable[[], float]) -> LeaseStore:
        """Keep leases there too."""
        return store_in(self.client, group, boottime, is_ours=True)


def client_like(pool: Any) -> Any:
    """Make a plain client of the database a pool of redis-py's asyncio part speaks to."""
    given = pool.connection_kwargs
    settings = {name: given[name] for name in given if name in _TAKEN or name.startswith("ssl_")}
    kind = getattr(redis, pool.connection_class.__name__, redis.Connection)
    plain = redis.ConnectionPool(
        kind, **settings, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S
    )
    return redis.Redis(connection_pool=plain)


@contextmanager
def reached(client: Any) -> Iterator[Any]:
    """Lend a client that has just answered.

    Raises:
        EngineUnavailable: Redis did not answer. Nothing was done.
        Indeterminate: it went away later. It may have been done.
    """
    try:
        client.ping()
    except _DOWN as error:
        raise EngineUnavailable(f"Redis does not answer: {error}") from error
    try:
        yield client
    except _DOWN as error:
        raise Indeterminate(f"Redis went away: {error}") from error
