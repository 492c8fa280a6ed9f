"""Gains and losses of minutes are written. The rule: counts add, histograms merge."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, select, tuple_

from ..db import histogram
from ..db.upsert import upsert
from ..tasks.model import rollup_minute as table
from .rollup import COUNTS, Bucket, Key, Rollup

_CHUNK = 200


def store(conn: Connection, project_id: str, rollup: Rollup) -> None:
    """Add `rollup` to the stored minutes; buckets that changed nothing are left alone."""
    gains = {key: bucket for key, bucket in rollup.buckets.items() if _moves(bucket)}
    if not gains:
        return
    known = _histograms(conn, project_id, gains)
    rows = [_row(project_id, key, gains[key], known.get(key)) for key in sorted(gains)]
    upsert(conn, table, rows, add=COUNTS)


def _moves(bucket: Bucket) -> bool:
    return any(bucket.counts) or any(bucket.runtime.values()) or any(bucket.wait.values())


def _histograms(
    conn: Connection, project_id: str, gains: dict[Key, Bucket]
) -> dict[Key, tuple[bytes | None, bytes | None]]:
    place = tuple_(table.c.minute, table.c.engine, table.c.name, table.c.queue)
    wanted = [key for key, bucket in gains.items() if bucket.runtime or bucket.wait]
    found: dict[Key, tuple[bytes | None, bytes | None]] = {}
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        query = select(
            table.c.minute,
            table.c.engine,
            table.c.name,
            table.c.queue,
            table.c.runtime_hist,
            table.c.wait_hist,
        ).where(and_(table.c.project_id == project_id, place.in_(part)))
        for minute, engine, name, queue, runtime, wait in conn.execute(query):
            found[minute, engine, name, queue] = (runtime, wait)
    return found


def _row(
    project_id: str, key: Key, bucket: Bucket, known: tuple[bytes | None, bytes | None] | None
) -> dict[str, Any]:
    runtime, wait = known or (None, None)
    minute, engine, name, queue = key
    return {
        "project_id": project_id,
        "minute": minute,
        "engine": engine,
        "name": name,
        "queue": queue,
        **dict(zip(COUNTS, bucket.counts, strict=True)),
        "runtime_hist": _merged(runtime, bucket.runtime),
        "wait_hist": _merged(wait, bucket.wait),
    }


def _merged(stored: bytes | None, gain: dict[int, int]) -> bytes | None:
    return histogram.encode(histogram.add(histogram.decode(stored), gain))
