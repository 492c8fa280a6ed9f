"""Stores over real services, opened in any process. The rule: what opens them can be pickled."""

from __future__ import annotations

import signal
import sqlite3
from typing import Any

import psycopg
import redis
from z4j_core.clock import SystemClock
from z4j_core.scheduler.leases.connections import Connections
from z4j_core.scheduler.leases.file import FileStore
from z4j_core.scheduler.leases.redis import RedisStore
from z4j_core.scheduler.leases.sql import SqlStore
from z4j_testing.leases.bench import FP

boottime = SystemClock().boottime


class OnRedis:
    """Redis at a URL."""

    def __init__(self, url: str, group: str) -> None:
        self.url, self.group = url, group

    def __call__(self, group: str | None = None, **settings: Any) -> RedisStore:
        client = redis.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)
        return RedisStore(client, group or self.group, boottime, **settings)


class OnSql:
    """A database psycopg or sqlite3 opens."""

    def __init__(self, where: str, group: str) -> None:
        self.where, self.group = where, group

    def connect(self) -> Any:
        if self.where.startswith("postgresql"):
            return psycopg.connect(self.where, connect_timeout=5)
        return sqlite3.connect(self.where, timeout=10, check_same_thread=False)

    def __call__(self, group: str | None = None, **settings: Any) -> SqlStore:
        return SqlStore(Connections(self.connect), group or self.group, boottime, **settings)


def lead_on(make: OnFile, ttl_ms: int, told: Any) -> None:
    """Lead until killed, and say by which lease. Called in another process."""
    store = make()
    lease = store.acquire("one", ttl_ms=ttl_ms, fp=FP, rev="")
    told.send(tuple(lease))
    signal.pause()


class OnFile:
    """A directory."""

    def __init__(self, directory: str, group: str) -> None:
        self.directory, self.group = directory, group

    def __call__(self, group: str | None = None, **settings: Any) -> FileStore:
        return FileStore(self.directory, group or self.group, boottime, **settings)
