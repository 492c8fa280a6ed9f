"""Workers, queues and definitions as agents report them. The rule: the newest report wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import Connection, and_, select, update

from ..db.upsert import upsert
from ..queues.model import queue_samples, queues
from ..tasks.model import task_defs
from ..workers.model import workers
from .items import Worker, opened
from .reports import QueueReport, TaskReport, WorkerReport
from .rollup import MINUTE_US
from .rows import Meta

STATE_OF_WHAT = {
    1: "online",
    2: "draining",
    3: "offline",
    4: "died",
    5: "stalled",
    6: "online",
}
_GONE = frozenset({"offline", "died"})
RETURNS_US = 5_000_000
"""A worker that reports later than this after it was gone is back."""


def worker_facts(
    conn: Connection, project_id: str, facts: Sequence[tuple[Worker, str, Meta]], now_us: int
) -> None:
    """Apply WORKER items: the newest by its own time decides the state."""
    newest: dict[tuple[str, str, str], tuple[Worker, str, Meta]] = {}
    for fact in sorted(facts, key=lambda part: part[0].at):
        newest[fact[0].engine, fact[0].app, fact[0].worker] = fact
    for (engine, app, name), (item, stream, meta) in newest.items():
        state = STATE_OF_WHAT.get(item.what, "online")
        where = and_(
            workers.c.project_id == project_id,
            workers.c.engine == engine,
            workers.c.app == app,
            workers.c.worker == name,
        )
        known = conn.execute(select(workers.c.state_at).where(where)).scalar()
        if known is not None and known > item.at:
            continue
        row: dict[str, Any] = {
            "project_id": project_id,
            "engine": engine,
            "app": app,
            "worker": name,
            "stream": stream,
            "host": meta.host,
            "release": meta.release,
            "state": state,
            "reason": item.reason,
            "first_seen": now_us,
            "heard": now_us,
            "state_at": item.at,
            "v": 1,
        }
        details = opened(item.meta)
        if details and isinstance(details.get("pool"), str):
            row["pool"] = details["pool"]
        upsert(conn, workers, [row], keep=("first_seen",), add=("v",))
        if state in _GONE:
            conn.execute(update(workers).where(where).values(busy=0, running=[], children=[]))


def worker_report(
    conn: Connection,
    place: tuple[str, str, str],
    source: tuple[str, Meta],
    rows: Sequence[WorkerReport],
    now_us: int,
) -> None:
    """Store a snapshot of workers of (project, engine, app), heard from (stream, its process)."""
    base = dict(zip(("project_id", "engine", "app"), place, strict=True))
    stream, meta = source
    about = base | {"stream": stream, "host": meta.host, "release": meta.release}
    unique = {row.worker: row for row in rows}
    upsert(
        conn,
        workers,
        [about | _worker_row(row, now_us) for row in unique.values()],
        keep=("first_seen", "state_at", "state"),
        add=("v",),
    )
    conn.execute(
        update(workers)
        .where(
            and_(
                *(workers.c[name] == value for name, value in base.items()),
                workers.c.worker.in_(list(unique)),
                workers.c.state.in_(tuple(_GONE)),
                workers.c.state_at < now_us - RETURNS_US,
            )
        )
        .values(state="online", reason=None, state_at=now_us)
    )


def _worker_row(row: WorkerReport, now_us: int) -> dict[str, Any]:
    return {
        "worker": row.worker,
        "state": "online",
        "pool": row.pool,
        "slots": row.slots,
        "busy": row.busy,
        "running": list(row.running or ()),
        "children": [list(astuple(child)) for child in row.children or ()],
        "queues": list(row.queues or ()),
        "processed": row.processed,
        "started": row.started,
        "versions": row.versions,
        "config": opened(row.config),
        "first_seen": now_us,
        "heard": now_us,
        "state_at": now_us,
        "v": 1,
    }


def worker_silence(conn: Connection, project_id: str, stream: str, state: str, now_us: int) -> None:
    """Say that the workers of a stream are not heard any more, unless they said good-bye."""
    conn.execute(
        update(workers)
        .where(
            and_(
                workers.c.project_id == project_id,
                workers.c.stream == stream,
                workers.c.state.not_in((*_GONE, state)),
            )
        )
        .values(state=state, state_at=now_us, v=workers.c.v + 1)
    )


def workers_heard(conn: Connection, project_id: str, stream: str, now_us: int) -> None:
    """Keep the workers of a stream alive: their agent's thread is beating."""
    conn.execute(
        update(workers)
        .where(
            and_(
                workers.c.project_id == project_id,
                workers.c.stream == stream,
                workers.c.state.not_in(tuple(_GONE)),
            )
        )
        .values(heard=now_us)
    )


def queue_report(
    conn: Connection, place: tuple[str, str, str], rows: Sequence[QueueReport], now_us: int
) -> None:
    """Store a snapshot of queues, and this minute's depth of each."""
    project_id, engine, app = place
    base = {"project_id": project_id, "engine": engine, "app": app}
    unique = {row.name: row for row in rows}.values()
    upsert(
        conn,
        queues,
        [
            base
            | {
                "name": row.name,
                "shape": row.shape_name,
                "depth": row.depth,
                "scheduled": row.scheduled,
                "unacked": row.unacked,
                "dead": row.dead,
                "oldest": row.oldest,
                "consumers": row.consumers,
                "paused": row.paused,
                "by_priority": row.by_priority,
                "flags": row.flags,
                "sampled": row.sampled or now_us,
                "first_seen": now_us,
                "v": 1,
            }
            for row in unique
        ],
        keep=("first_seen",),
        add=("v",),
    )
    upsert(
        conn,
        queue_samples,
        [
            base
            | {
                "name": row.name,
                "minute": now_us // MINUTE_US,
                "depth": row.depth,
                "scheduled": row.scheduled,
                "unacked": row.unacked,
                "oldest": row.oldest,
                "consumers": row.consumers,
            }
            for row in unique
        ],
    )


def task_report(
    conn: Connection, place: tuple[str, str, str], rows: Sequence[TaskReport], now_us: int
) -> None:
    """Store the definitions an app has registered."""
    project_id, engine, app = place
    upsert(
        conn,
        task_defs,
        [
            {
                "project_id": project_id,
                "engine": engine,
                "app": app,
                "name": row.name,
                "module": row.module,
                "doc": row.doc,
                "params": [list(astuple(param)) for param in row.signature or ()],
                "source": row.source,
                "queue": row.queue,
                "options": opened(row.options),
                "flags": row.flags,
                "max_tries": row.max_tries,
                "timeout_ms": row.timeout_ms,
                "rate": row.rate,
                "first_seen": now_us,
                "seen": now_us,
            }
            for row in {row.name: row for row in rows}.values()
        ],
        keep=("first_seen",),
    )
