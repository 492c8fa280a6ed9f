"""A lease store in an engine's own Redis. The rule: the same server over connections of our own.

A store waits no longer than it must, and never for a connection that the host is using. Nothing is
loaded or connected before the store is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..lease import LeaseStore

CONNECT_S = 2.0
ANSWER_S = 3.0
_LIBRARIES = ("redis", "valkey")
_TAKEN = frozenset(
    ("host", "port", "db", "path", "username", "password", "credential_provider", "protocol")
)


def store_in(
    client: Any, group: str, boottime: Callable[[], float], *, is_ours: bool = False
) -> LeaseStore:
    """The store of a group over an engine's client, or over a function that makes one.

    `is_ours`: nobody but z4j uses that client.
    """
    from .redis import RedisStore  # noqa: PLC0415 - loaded only where leases are kept

    def made() -> Any:
        found = client if hasattr(client, "connection_pool") else client()
        return found if is_ours else own(found)

    return RedisStore(made, group, boottime)


def own(client: Any) -> Any:
    """A client of the same server; one that finds its servers by other means is shared."""
    library = _library_of(client)
    pool = client.connection_pool
    if library is None or type(pool) not in (
        library.ConnectionPool,
        library.BlockingConnectionPool,
    ):
        return client
    given = pool.connection_kwargs
    settings = {name: given[name] for name in given if name in _TAKEN or name.startswith("ssl_")}
    timeouts = {"socket_connect_timeout": CONNECT_S, "socket_timeout": ANSWER_S}
    kind = _plain(pool.connection_class, library.__name__)
    return library.Redis(connection_pool=library.ConnectionPool(kind, **settings, **timeouts))


def _library_of(client: Any) -> Any:
    for kind in type(client).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in _LIBRARIES:
            return sys.modules[root]
    return None


def _plain(kind: type, library: str) -> Any:
    """The library's own class of connections behind one that somebody derived from it."""
    return next(each for each in kind.__mro__ if each.__module__ == f"{library}.connection")
