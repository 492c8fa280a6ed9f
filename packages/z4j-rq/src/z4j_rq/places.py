"""Finding the Redis databases that RQ uses here. The rule: one database is one engine.

RQ has no app object. So each queue and worker that is made tells where it lives, and those that
were made before are looked for among the names of imported modules.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from redis import ConnectionPool, Redis
from rq import Queue
from rq.worker import BaseWorker
from z4j_core.place import redis_place

from .engine import RQEngine

CONNECT_S = 2.0
ANSWER_S = 3.0
_engines: dict[str, RQEngine] = {}
_told: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
_listeners: list[Callable[[RQEngine], None]] = []


def detect(_settings: object, found: Callable[[RQEngine], None]) -> None:
    """Report each Redis database RQ uses in this process to `found`, now or once it does."""
    _listeners.append(found)
    for cls in (Queue, BaseWorker):
        _watch(cls)
    for connection in _connections():
        found(engine_of(connection))


def adapt(obj: Any) -> RQEngine:
    """Return the engine of a queue's, worker's or job's Redis database."""
    return engine_of(obj.connection)


def engine_of(connection: Any) -> RQEngine:
    """Return the one engine of a Redis database; it has connections of its own."""
    place = redis_place(connection.connection_pool)
    if place not in _engines:
        _engines[place] = RQEngine(client_like(connection), place=place)
    return _engines[place]


def client_like(connection: Any) -> Any:
    """Make a client of the same database, so that a verb never waits for the host's connections.

    A pool that finds its servers by other means (Sentinel) is shared.
    """
    pool = connection.connection_pool
    if not isinstance(pool, ConnectionPool) or hasattr(pool, "sentinel_manager"):
        return connection
    settings: dict[str, Any] = {
        **pool.connection_kwargs,
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": ANSWER_S,
        "decode_responses": False,
    }
    return Redis(connection_pool=ConnectionPool(pool.connection_class, **settings))


def _connections() -> Iterator[Any]:
    for module in list(sys.modules.values()):
        for value in list(getattr(module, "__dict__", {}).values()):
            if issubclass(type(value), (Queue, BaseWorker)):  # the class alone: it may be a proxy
                yield value.connection


def _watch(cls: Any) -> None:
    original = cls.__init__
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        _made(self)

    cls.__init__ = __init__


def _made(holder: Any) -> None:
    connection = getattr(holder, "connection", None)
    pool = getattr(connection, "connection_pool", None)
    if pool is None or pool in _told:
        return
    _told[pool] = redis_place(pool)
    engine = engine_of(connection)
    for found in _listeners[:]:
        found(engine)
