"""What this machine does at best: plain COPY, plain upserts, one append. No code of z4j runs.

`measure(quick)` gives rows per second of each, and append_us.
Rows are those of a task list (twelve columns, text of 90 characters), batches are of 2,000.
"""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

PG = os.environ.get("Z4J_TEST_PG", "postgresql://postgres@127.0.0.1:5432/postgres")
BATCH = 2_000
RUNS = 5
TEXT = ("a", "b", "c", "d", "e", "f")
NUMBERS = ("g", "h", "i", "j", "k")
COLUMNS = ("ref", *TEXT, *NUMBERS)
TABLE = "ref text primary key, " + ", ".join(
    [f"{name} text" for name in TEXT] + [f"{name} bigint" for name in NUMBERS]
)
NEWER = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
Row = tuple[Any, ...]


def rows(first: int, count: int) -> list[Row]:
    """`count` rows with references from `first` on."""
    texts = ("celery", "shop.charge", "payments", "celery@worker-7", "order 4711", "x" * 90)
    return [(f"{n:024x}", *texts, n, n + 1, n + 2, 9, 1) for n in range(first, first + count)]


def rate(batches: list[list[Row]], store: Callable[[list[Row]], None]) -> float:
    """Rows a second, each batch committed."""
    begun = time.perf_counter()
    for batch in batches:
        store(batch)
    return sum(map(len, batches)) / (time.perf_counter() - begun)


def postgresql(batches: list[list[Row]]) -> Iterator[tuple[str, float]]:
    """COPY into a plain table, and COPY into a temporary table followed by one upsert."""
    names = ", ".join(COLUMNS)
    found = "insert into z4j_floor select * from floor_new"
    upsert = f"{found} on conflict (ref) do update set {NEWER}"
    with psycopg.connect(PG) as conn:
        conn.execute(f"create temp table floor_new ({TABLE}) on commit delete rows")
        conn.execute("drop table if exists z4j_floor")
        conn.execute(f"create table z4j_floor ({TABLE})")
        conn.execute("drop table if exists z4j_floor_copy")
        conn.execute(f"create table z4j_floor_copy ({TABLE})")
        conn.commit()

        def copy(target: str, batch: list[Row]) -> None:
            with conn.cursor().copy(f"copy {target} ({names}) from stdin") as stream:
                for row in batch:
                    stream.write_row(row)

        def copied(batch: list[Row]) -> None:
            copy("z4j_floor_copy", batch)
            conn.commit()

        def upserted(batch: list[Row]) -> None:
            copy("floor_new", batch)
            conn.execute(upsert)
            conn.commit()

        yield "pg_copy_rows_per_s", rate(batches, copied)
        yield "pg_upsert_rows_per_s", rate(batches, upserted)
        conn.execute("drop table z4j_floor, z4j_floor_copy")


def sqlite(batches: list[list[Row]], path: Path) -> float:
    """Upserts with executemany, one transaction a batch."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("pragma journal_mode=wal")
    conn.execute("pragma synchronous=normal")
    conn.execute(f"create table floor ({TABLE}) without rowid")
    marks = ", ".join("?" * len(COLUMNS))
    sql = f"insert into floor values ({marks}) on conflict (ref) do update set {NEWER}"

    def upserted(batch: list[Row]) -> None:
        conn.execute("begin immediate")
        conn.executemany(sql, batch)
        conn.execute("commit")

    found = rate(batches, upserted)
    conn.close()
    return found


def append(times: int, path: Path) -> float:
    """Microseconds of one write of 200 bytes to a file opened for appending."""
    body = os.urandom(200)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    begun = time.perf_counter()
    for _ in range(times):
        os.write(descriptor, body)
    taken = time.perf_counter() - begun
    os.close(descriptor)
    return taken / times * 1e6


def once(quick: bool) -> dict[str, float]:
    """All figures, one run."""
    half = 5 if quick else 25
    fresh = [rows(n * BATCH, BATCH) for n in range(half)]
    with tempfile.TemporaryDirectory(prefix="z4j-floor-") as home:
        found = dict(postgresql(fresh))
        found["sqlite_upsert_rows_per_s"] = sqlite(fresh, Path(home) / "floor.db")
        found["append_us"] = append(5_000 if quick else 50_000, Path(home) / "append")
    return found


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """Medians of several runs."""
    runs = [once(quick) for _ in range(3 if quick else RUNS)]
    return [
        {
            "name": name,
            "value": round(statistics.median(run[name] for run in runs), 2),
            "unit": "us" if name.endswith("_us") else "rows/s",
            "runs": len(runs),
            "spread": round(max(run[name] for run in runs) - min(run[name] for run in runs), 2),
        }
        for name in runs[0]
    ]


if __name__ == "__main__":
    print(json.dumps(measure(quick="--quick" in sys.argv), indent=2))
