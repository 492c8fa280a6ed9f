"""Fires a leader places a second: planned, claimed, told and settled, all due at one instant.

Through the whole of the leader, its threads and a real store, PostgreSQL or Redis; the engine says
at once that it has it. `cpu` is what this process spends on a fire, the server's share left out.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from leading import CLOCK, Host, due_at, led, loaded, redis_store, snapshot_of
from z4j_core.scheduler.lease import LeaseStore
from z4j_core.scheduler.leases.connections import Connections
from z4j_core.scheduler.leases.sql import SqlStore

PG = os.environ.get("Z4J_TEST_PG", "postgresql://postgres@127.0.0.1:5432/postgres")
FIRES, RUNS = 10_000, 5
AHEAD_MS = 4_000


@contextmanager
def postgresql() -> Iterator[LeaseStore]:
    """A store in a schema of its own."""
    with psycopg.connect(PG, autocommit=True) as admin:
        schema = f"z4j_bench_{os.getpid()}"
        admin.execute(f"CREATE SCHEMA {schema}")
        options = f"-c search_path={schema}"
        connections = Connections(lambda: psycopg.connect(PG, options=options))
        try:
            yield SqlStore(connections, "bench/bench/bench", CLOCK.boottime)
        finally:
            connections.close()
            admin.execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def in_redis() -> Iterator[LeaseStore]:
    """A store of a group of its own."""
    yield redis_store()


def fired(store: LeaseStore, count: int) -> tuple[float, float]:
    """Fires per second, and microseconds of CPU of this process for each."""
    at_ms = CLOCK.wall_us() // 1000 + AHEAD_MS + 2 * count
    host = Host(snapshot_of(due_at(count, at_ms)))
    with led(host, store) as loop:
        loaded(loop)
        time.sleep(max(0.0, at_ms / 1000 - time.time() - 0.05))
        if host.lags:
            raise RuntimeError("they were due before all were loaded")
        used = time.process_time()
        host.sent(count, 120)
        took, cpu = time.time() - at_ms / 1000, time.process_time() - used
    return count / took, cpu / count * 1e6


def figures(name: str, opened: Callable[[], Any], count: int, runs: int) -> list[dict[str, Any]]:
    """Medians of some runs; the first one is not counted."""
    found = []
    for _ in range(runs + 1):
        with opened() as store:
            found.append(fired(store, count))
    rates, costs = zip(*found[1:], strict=True)
    spread = max(rates) - min(rates)
    return [
        {"name": f"leader_fires_per_s.{name}", "value": round(statistics.median(rates), 1),
         "unit": "fires/s", "runs": runs, "spread": round(spread, 1)},
        {"name": f"leader_cpu_us.{name}", "value": round(statistics.median(costs), 2),
         "unit": "us", "runs": runs},
    ]  # fmt: skip


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """Figures of both stores."""
    count, runs = (2_000, 1) if quick else (FIRES, RUNS)
    stores = {"postgresql": postgresql, "redis": in_redis}
    return [each for name, opened in stores.items() for each in figures(name, opened, count, runs)]
