"""Which store of leases a group has. The rule: all who may lead one group choose alike.

The brain may pin itself; else Z4J_LEASE_STORE says it; else the engine's own broker keeps them;
else a development brain leaves them to a file, and any other brain keeps them itself.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ...config import Settings
from ...errors import ConfigError, Unsupported
from ...scheduler.lease import LeaseStore
from ...scheduler.leases.brain import BrainStore
from ...scheduler.leases.calls import Ask

CONNECT_S = 2.0
ANSWER_S = 3.0
_ALIVE = {
    "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}  # fmt: skip
"""How a connection to PostgreSQL notices that nobody is there any more; s, s, times and ms."""


class Place(NamedTuple):
    """Where a store is looked for. `directory` is empty where processes share none.

    `pinned` is the store that the brain wants for the group, empty for none.
    """

    settings: Settings
    engine: Any
    group: str
    directory: str
    ask: Ask
    boottime: Callable[[], float]
    pinned: str = ""


def choose(place: Place) -> LeaseStore:
    """The store of a group; nothing is connected yet.

    Raises:
        ConfigError: what Z4J_LEASE_STORE names cannot be used here.
        StoreError: the directory is not ours alone.
    """
    wanted = place.pinned or place.settings.lease_store
    if wanted == "brain":
        return _of_brain(place)
    if wanted == "file":
        return _of_file(place)
    if wanted:
        return _OF_SCHEME[urlsplit(wanted).scheme](place, wanted)
    offered = _offered(place)
    if offered is not None:
        return offered
    is_development = place.settings.dsn_from.endswith("dev.json")
    return _of_file(place) if is_development and place.directory else _of_brain(place)


def fingerprint(engine: Any) -> str:
    """Which broker an engine speaks to, as 32 hex digits; equal for all who speak to it."""
    told = getattr(engine, "place", None) or engine.app
    return hashlib.sha256(f"{engine.name}\0{told}".encode()).hexdigest()[:32]


def _offered(place: Place) -> LeaseStore | None:
    """The store in the engine's own broker, if it has one that can keep leases."""
    make = getattr(place.engine, "lease_store", None)
    if make is None:
        return None
    try:
        store: LeaseStore | None = make(place.group, place.boottime)
    except Unsupported:
        return None
    return store


def _of_brain(place: Place) -> LeaseStore:
    return BrainStore(place.ask, place.boottime)


def _of_file(place: Place) -> LeaseStore:
    if not place.directory:
        raise ConfigError("Z4J-E014", "lease_store: file needs a spool directory on disk")
    from ...scheduler.leases.file import FileStore  # noqa: PLC0415 - loaded only where it is used

    return FileStore(str(Path(place.directory) / "leases"), place.group, place.boottime)


def _of_redis(place: Place, url: str) -> LeaseStore:
    from ...scheduler.leases.redis import RedisStore  # noqa: PLC0415 - as above

    redis = _driver("redis", "redis")
    client = redis.Redis.from_url(
        url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S, health_check_interval=30
    )
    return RedisStore(client, place.group, place.boottime)


def _of_postgres(place: Place, url: str) -> LeaseStore:
    from ...scheduler.leases.connections import Connections  # noqa: PLC0415 - as above
    from ...scheduler.leases.sql import SqlStore  # noqa: PLC0415 - as above

    psycopg = _driver("psycopg", "psycopg[binary]")

    def connect() -> Any:
        return psycopg.connect(url, connect_timeout=int(CONNECT_S), **_ALIVE)

    return SqlStore(Connections(connect), place.group, place.boottime)


def _of_sqlite(place: Place, url: str) -> LeaseStore:
    import sqlite3  # noqa: PLC0415 - as above

    from ...scheduler.leases.connections import Connections  # noqa: PLC0415 - as above
    from ...scheduler.leases.sql import SqlStore  # noqa: PLC0415 - as above

    path = unquote(urlsplit(url).path.removeprefix("/"))

    def connect() -> Any:
        return sqlite3.connect(path, timeout=ANSWER_S, check_same_thread=False)

    return SqlStore(Connections(connect), place.group, place.boottime)


def _driver(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        text = f"lease_store: its URL needs a driver: pip install '{package}'"
        raise ConfigError("Z4J-E014", text) from error


_OF_SCHEME: dict[str, Callable[[Place, str], LeaseStore]] = {
    "redis": _of_redis,
    "rediss": _of_redis,
    "unix": _of_redis,
    "postgresql": _of_postgres,
    "postgres": _of_postgres,
    "sqlite": _of_sqlite,
}
