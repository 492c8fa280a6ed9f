"""Finding the Redis databases that arq uses here. The rule: one database is one engine.

arq has no app object. So each pool that is made tells where it leads, and those that were made
before are looked for among the names of imported modules. A worker makes its pool when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, cast
from weakref import WeakSet

import redis
import redis.asyncio
from arq.connections import ArqRedis
from arq.worker import Worker
from z4j_core.place import redis_place

from .engine import ArqEngine

CONNECT_S = 2.0
ANSWER_S = 3.0
_COMMON = ("host", "port", "path", "db", "username", "password", "credential_provider",
           "client_name", "protocol", "socket_keepalive", "socket_keepalive_options")  # fmt: skip
_engines: dict[str, ArqEngine] = {}
_told: WeakSet[Any] = WeakSet()
_listeners: list[Callable[[ArqEngine], None]] = []


def detect(_settings: object, found: Callable[[ArqEngine], None]) -> None:
    """Report each Redis database arq uses in this process to `found`, now or once it does."""
    _listeners.append(found)
    _watch(ArqRedis, _made)
    _watch(Worker, _hired)
    for pool in _pools():
        found(engine_of(pool))


def adapt(obj: Any) -> ArqEngine:
    """Return the engine of a pool's or a running worker's Redis database.

    Raises:
        ValueError: the worker does not run yet; it is found by itself when it does.
    """
    pool = obj.pool if isinstance(obj, Worker) else obj
    if pool is None:
        raise ValueError("a worker has no Redis before it runs, and reports itself then")
    return engine_of(pool)


def engine_of(pool: Any) -> ArqEngine:
    """Return the one engine of a Redis database; it has connections of its own."""
    place = redis_place(pool.connection_pool)
    if place not in _engines:
        _engines[place] = ArqEngine(client_like(pool), place=place)
    _engines[place].pools.add(pool)
    return _engines[place]


def client_like(pool: Any) -> Any:
    """Make a synchronous client of the same database."""
    given = pool.connection_pool.connection_kwargs
    kind = pool.connection_pool.connection_class
    settings = {
        name: value
        for name, value in given.items()
        if value is not None and (name in _COMMON or name.startswith("ssl_"))
    }
    settings |= {"socket_connect_timeout": CONNECT_S, "socket_timeout": ANSWER_S}
    manager = getattr(pool.connection_pool, "sentinel_manager", None)
    if manager is not None:
        return _through_sentinel(manager, pool.connection_pool.service_name, settings)
    return redis.Redis(connection_pool=redis.ConnectionPool(_kind_like(kind), **settings))


def _kind_like(kind: type) -> Any:
    if issubclass(kind, redis.asyncio.UnixDomainSocketConnection):
        return redis.UnixDomainSocketConnection
    is_tls = issubclass(kind, redis.asyncio.SSLConnection)
    return redis.SSLConnection if is_tls else redis.Connection


def _through_sentinel(manager: Any, service: str, settings: dict[str, Any]) -> Any:
    hosts = [each.connection_pool.connection_kwargs for each in manager.sentinels]
    settings = {name: value for name, value in settings.items() if name not in ("host", "port")}
    sentinel: Any = cast("Any", redis.Sentinel)(
        [(each["host"], each["port"]) for each in hosts],
        sentinel_kwargs=dict(manager.sentinel_kwargs),
        **settings,
    )
    return sentinel.master_for(service)


def _pools() -> Iterator[Any]:
    for module in list(sys.modules.values()):
        for value in list(getattr(module, "__dict__", {}).values()):
            kind = type(value)  # the class alone: it may be a proxy
            if issubclass(kind, ArqRedis):
                yield value
            elif issubclass(kind, Worker) and value.pool is not None:
                yield value.pool


def _watch(cls: Any, tell: Callable[[Any], None]) -> None:
    """Hear of each one made; its signature stays, which the command line of arq reads."""
    original = cls.__init__
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        tell(self)

    cls.__init__ = __init__


def _hired(worker: Any) -> None:
    """A worker that was given a pool may have been given one from before."""
    if worker.pool is not None:
        _made(worker.pool)


def _made(client: Any) -> None:
    pool = getattr(client, "connection_pool", None)
    if pool is None or pool in _told:
        return
    _told.add(pool)
    engine = engine_of(client)
    for found in _listeners[:]:
        found(engine)
