"""Redis, PostgreSQL, SQLite and a directory keep the promises of lease stores."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from lease_services import OnFile, OnRedis, OnSql
from z4j_core.scheduler.leases.file import FileStore
from z4j_core.scheduler.leases.tables import TABLES
from z4j_testing.leases import (
    Bench,
    TestClaims,
    TestFence,
    TestGuard,
    TestLeading,
    TestRacing,
    TestRuns,
    TestSnapshot,
    TestWaiting,
)
from z4j_testing.leases.bench import Closing
from z4j_testing.proxy import Fault, Proxy
from z4j_testing.services import free_port, postgres_url, redis_url

__all__ = [
    "TestClaims", "TestFence", "TestGuard", "TestLeading", "TestRacing", "TestRuns",
    "TestSnapshot", "TestWaiting",
]  # fmt: skip


@pytest.fixture(params=["redis", "postgresql", "sqlite", "file"])
def bench(request) -> Bench:
    return request.getfixturevalue(f"on_{request.param}")


def _group() -> str:
    return f"project/engine/{os.urandom(8).hex()}"


@pytest.fixture
def made() -> Iterator[list[Closing]]:
    made: list[Closing] = []
    yield made
    for each in made:
        each.close()


def _bench(made: list[Closing], maker, wipe, gone, back) -> Bench:
    made += [Closing(maker), Closing(gone)]
    return Bench(made[0], wipe, made[1], back)


@pytest.fixture
def on_redis(tmp_path, made) -> Iterator[Bench]:
    maker, port = OnRedis(redis_url(), _group()), free_port()
    gone = OnRedis(f"redis://127.0.0.1:{port}/0", maker.group)
    client = redis.Redis.from_url(maker.url)
    servers: list[subprocess.Popen[bytes]] = []

    def wipe() -> None:
        for key in client.scan_iter(f"z4j:{{{maker.group}}}:*"):
            client.delete(key)

    def back() -> None:
        command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
        servers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    yield _bench(made, maker, wipe, gone, back)
    wipe()
    client.close()
    for server in servers:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    name = f"z4j_leases_{os.getpid()}"
    admin = psycopg.connect(postgres_url("postgres"), autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    yield postgres_url(name)
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture
def on_postgresql(database, made) -> Iterator[Bench]:
    maker = OnSql(database, _group())
    parts = urlsplit(database)
    with Proxy((parts.hostname, parts.port or 5432), fault=Fault.CUT) as proxy:
        there = parts._replace(netloc=f"{parts.username}@127.0.0.1:{proxy.port}").geturl()
        gone = OnSql(there, maker.group)
        yield _bench(made, maker, lambda: _forgotten(maker), gone, lambda: proxy.set(Fault.NONE))


@pytest.fixture
def on_sqlite(tmp_path, made) -> Bench:
    maker = OnSql(str(tmp_path / "leases.db"), _group())
    away = tmp_path / "away"
    gone = OnSql(str(away / "leases.db"), maker.group)
    return _bench(made, maker, lambda: _forgotten(maker), gone, away.mkdir)


@pytest.fixture
def on_file(tmp_path, made) -> Bench:
    maker = OnFile(str(tmp_path / "leases"), _group())
    there, away = tmp_path / "gone", tmp_path / "away"

    def gone() -> FileStore:
        store = OnFile(str(there), maker.group)()
        there.rename(away)
        return store

    sql = OnSql(str(tmp_path / "leases" / "leases.db"), maker.group)
    return _bench(made, maker, lambda: _forgotten(sql), gone, lambda: away.rename(there))


def _forgotten(maker: OnSql) -> None:
    connection = maker.connect()
    mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
    for table in TABLES:
        connection.execute(f"DELETE FROM {table} WHERE grp = {mark}", (maker.group,))
    connection.commit()
    connection.close()
