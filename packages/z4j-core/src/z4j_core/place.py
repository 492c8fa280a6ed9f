"""Which broker is meant. The rule: the same 12 hex digits for all who reach it, no credentials."""

from __future__ import annotations

import hashlib
from typing import Any
from weakref import WeakKeyDictionary

_LOCAL = {"127.0.0.1": "localhost", "::1": "localhost"}
_known: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def place(kind: str, host: str | None, port: object, space: object) -> str:
    """Identity of a broker and a namespace in it, for example a database or a virtual host."""
    where = _LOCAL.get(host or "", host) or "localhost"
    told = "\x00".join((kind, where, str(port), str(space)))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def redis_place(pool: Any, prefix: str = "") -> str:
    """Identity of the database a connection pool of redis-py, plain or asyncio, speaks to.

    `prefix` tells apart applications that share a database under names of their own.
    """
    known = _known.get(pool)
    if known is None or prefix:
        given = pool.connection_kwargs
        host = getattr(pool, "service_name", None) or given.get("path") or given.get("host")
        space = str(given.get("db") or 0) + prefix
        known = place("redis", host, given.get("port") or 6379, space)
    if not prefix:
        _known[pool] = known
    return known
