"""Which Redis database is meant. The rule: the same for all who reach it, without credentials."""

from __future__ import annotations

import hashlib
from typing import Any
from weakref import WeakKeyDictionary

_LOCAL = {"127.0.0.1": "localhost", "::1": "localhost"}
_known: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def place_of(connection: Any) -> str:
    """Identity of the database a client speaks to: 12 hex digits."""
    pool = connection.connection_pool
    known = _known.get(pool)
    if known is None:
        known = _known[pool] = _digest(pool)
    return known


def _digest(pool: Any) -> str:
    given = pool.connection_kwargs
    host = getattr(pool, "service_name", None) or given.get("path") or given.get("host")
    host = _LOCAL.get(host, host) or "localhost"
    parts = ("redis", str(host), str(given.get("port") or 6379), str(given.get("db") or 0))
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:12]
