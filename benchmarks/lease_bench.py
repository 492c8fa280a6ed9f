"""Fires a lease store takes per second: claimed and settled, one process, batches of 500.

`measure(quick)` gives fires_per_s of PostgreSQL, Redis and a directory. Every round claims the next
slot of each of 500 schedules with a record of 200 bytes and settles all of them.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import redis
from z4j_core.clock import SystemClock
from z4j_core.scheduler.lease import Claim, Lease, LeaseStore, Mark
from z4j_core.scheduler.leases.connections import Connections
from z4j_core.scheduler.leases.file import FileStore
from z4j_core.scheduler.leases.redis import RedisStore
from z4j_core.scheduler.leases.sql import SqlStore

PG = os.environ.get("Z4J_TEST_PG", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("Z4J_TEST_REDIS", "redis://127.0.0.1:6379") + "/15"
BATCH, ROUNDS, RUNS = 500, 20, 5
RECORD = bytes(200)
boottime = SystemClock().boottime


def rounds(count: int, first: int) -> Iterator[list[Claim]]:
    """Batches of the next slots of the same schedules."""
    for slot in range(first, first + count):
        yield [
            Claim(f"{n:08x}-0000-4000-8000-000000000000", 1, slot * 60_000,
                  f"{slot:08x}-{n:04x}-5000-8000-000000000000", RECORD)
            for n in range(BATCH)
        ]  # fmt: skip


def per_s(store: LeaseStore, runs: int) -> list[float]:
    """Fires per second of each run."""
    lease = store.acquire("bench", ttl_ms=600_000, fp="", rev="")
    assert isinstance(lease, Lease)
    found = []
    for run in range(runs + 1):
        batches = list(rounds(ROUNDS, run * ROUNDS + 1))
        begun = time.perf_counter()
        for batch in batches:
            outcomes = store.claim(lease, batch)
            store.settle(lease, [Mark(claim.fire_id, "sent") for claim in batch])
            assert all(outcomes)
        found.append(ROUNDS * BATCH / (time.perf_counter() - begun))
    store.release(lease)
    return found[1:]


def figure(name: str, values: list[float]) -> dict[str, Any]:
    spread = max(values) - min(values)
    return {"name": f"fires_per_s.{name}", "value": statistics.median(values), "unit": "fires/s",
            "runs": len(values), "spread": spread}  # fmt: skip


def measure(quick: bool) -> list[dict[str, Any]]:
    """Figures of the three stores."""
    runs = 1 if quick else RUNS
    group = f"bench/bench/{os.urandom(6).hex()}"
    with ExitStack() as last, tempfile.TemporaryDirectory() as folder:
        client = last.enter_context(redis.Redis.from_url(REDIS))
        admin = last.enter_context(psycopg.connect(PG, autocommit=True))
        schema = f"z4j_bench_{os.getpid()}"
        admin.execute(f"CREATE SCHEMA {schema}")
        last.callback(admin.execute, f"DROP SCHEMA {schema} CASCADE")
        options = f"-c search_path={schema}"
        stores: dict[str, Any] = {
            "postgresql": SqlStore(
                Connections(lambda: psycopg.connect(PG, options=options)), group, boottime
            ),
            "redis": RedisStore(client, group, boottime),
            "file": FileStore(f"{folder}/leases", group, boottime),
        }
        try:
            return [figure(name, per_s(store, runs)) for name, store in stores.items()]
        finally:
            for store in stores.values():
                store.close()
            for key in client.scan_iter(f"z4j:{{{group}}}:*"):
                client.delete(key)
