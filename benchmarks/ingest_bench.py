"""How many facts a second the brain stores durably, search on. The rule: each fact is a real one.

`measure(quick)` gives postgresql.events_per_s, sqlite.events_per_s and cpu_us_per_event (of the
brain's process): decode, fold, one transaction per gathered set of batches, commit. Tasks have
three facts and texts of about 90 characters; every second one ends in a later transaction.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import create_engine, text
from z4j_brain.db import Database, open_database
from z4j_brain.ingest.apply import apply
from z4j_brain.ingest.batch import Batch
from z4j_brain.ingest.items import decode_items
from z4j_brain.ingest.loop import calm_collector
from z4j_brain.ingest.postgresql import PostgresWriter
from z4j_brain.ingest.rows import Meta
from z4j_brain.ingest.sqlite import SqliteWriter
from z4j_brain.migrations import upgrade

PG = os.environ.get("Z4J_TEST_PG", "postgresql://postgres@127.0.0.1:5432/postgres")
PROJECT = "0198c2f4aaaa7bbb8cccdddddddddddd"
PER_RECORD, RECORDS = 300, 13
META = Meta("worker-7.example.net", "1.4.2", "production")
T0 = 1_763_000_000_000_000


def facts(index: int) -> list[list[Any]]:
    """enqueued, started, succeeded of one task."""
    at = T0 + index * 300
    task_id = f"0198c2f4-{index & 0xFFFF:04x}-4bbb-8ccc-{index:012x}"
    name = f"shop.orders.tasks.charge_{index % 40}"
    args = [0, 36, f'[{index}, "customer-{index * 7919 % 100_003}", "EUR"]']
    kwargs = [0, 30, f'{{"amount": {index % 9973}, "lot": {index % 977}}}']
    base = ["celery", "redis://broker/0|celery", task_id, 0]
    place = [name, f"queue-{index % 5}", None, None, at]
    worker = [name, f"queue-{index % 5}", f"celery@worker-{index % 9}", 4242, at]
    one: list[Any] = [1, 1, 2, at, *base, 0, *place, *[None] * 8, args, kwargs]
    two: list[Any] = [1, 4, 3, at + 900, *base, 1, *worker, None, at + 900]
    three: list[Any] = [
        1,
        6,
        9,
        at + 5900,
        *base,
        1,
        *worker,
        None,
        at + 900,
        at + 5900,
        5000 + index % 4000,
    ]
    three += [None] * 6 + [[0, 12, f'"ok {index}"']]
    if index % 20 == 0:
        three[1:3] = [7, 8]
        three[24:] = [
            None,
            "ValueError",
            [0, 50, f"card {index} was declined by bank {index % 31}"],
        ]
    return [one, two, three]


def records(tasks: int, spread: int) -> Iterator[bytes]:
    """EVENTS bodies; the end of every second task comes `spread` tasks later."""
    waiting: list[bytes] = []
    encode = msgspec.msgpack.encode
    for index in range(tasks + spread):
        if index < tasks:
            one, two, three = facts(index)
            waiting += [encode(one), encode(two)]
            if index % 2:
                waiting.append(encode(three))
        if index >= spread and (index - spread) % 2 == 0:
            waiting.append(encode(facts(index - spread)[2]))
        while len(waiting) >= PER_RECORD:
            yield b"\xdc" + PER_RECORD.to_bytes(2, "big") + b"".join(waiting[:PER_RECORD])
            del waiting[:PER_RECORD]
    if waiting:
        yield b"\xdc" + len(waiting).to_bytes(2, "big") + b"".join(waiting)


def run(db: Database, bodies: list[bytes]) -> tuple[float, float, int]:
    """(seconds, CPU seconds of this process, events)."""
    writer = SqliteWriter() if db.is_sqlite else PostgresWriter()
    calm_collector()
    first, events = 1, 0
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.perf_counter()
    for start in range(0, len(bodies), RECORDS):
        batches = []
        for body in bodies[start : start + RECORDS]:
            items = decode_items(body)
            batches.append(Batch(PROJECT, "a" * 32, 0, "b" * 16, 1, first, items, META, T0))
            first += len(items)
        with db.writing() as conn:
            outcomes, _ = apply(conn, writer, batches, T0)
        if any(outcome.code for outcome in outcomes):
            raise RuntimeError(outcomes)
    events = first - 1
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    return seconds, used, events


def fresh(dialect: str, where: Path) -> Database:
    """An empty database at head."""
    if dialect == "sqlite":
        url = f"sqlite:///{where / f'bench-{time.perf_counter_ns()}.db'}"
    else:
        admin = create_engine(
            PG.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        with admin.connect() as conn:
            conn.execute(text("DROP DATABASE IF EXISTS z4j_ingest_bench WITH (FORCE)"))
            conn.execute(text("CREATE DATABASE z4j_ingest_bench"))
        admin.dispose()
        url = f"{PG.rsplit('/', 1)[0]}/z4j_ingest_bench"
    db = open_database(url)
    upgrade(db.engine)
    return db


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """Figures of the area `ingest` that need no browser, medians of interleaved runs."""
    tasks, runs = (3_000, 1) if quick else (30_000, 3)
    bodies = list(records(tasks, 2_000))
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as place:
        where = Path(place)
        for _ in range(runs):
            for dialect in ("postgresql", "sqlite"):
                db = fresh(dialect, where)
                seconds, used, events = run(db, bodies)
                db.close()
                taken.setdefault(f"{dialect}.events_per_s", []).append(events / seconds)
                if dialect == "postgresql":
                    taken.setdefault("cpu_us_per_event", []).append(used / events * 1e6)
    units = {"cpu_us_per_event": "µs"}
    return [
        {
            "name": name,
            "value": statistics.median(values),
            "unit": units.get(name, "events/s"),
            "runs": len(values),
            "spread": max(values) - min(values),
        }
        for name, values in taken.items()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print(json.dumps(measure(parser.parse_args().quick), indent=2))
