"""Workers as a page shows them. The rule: silence is shown as silence, never as death."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row

from ..agents.offers import Offer, can, can_json, offers
from ..errors import NotFound
from ..tasks.model import ref_of
from ..web.numbers import ms
from . import store

SHOWN_US = 24 * 3_600 * 1_000_000
RECENT_US = 60 * 1_000_000
STALLED_MS = 5_000
SILENT_BEATS = 2.5
_VERBS = ("pool", "restart", "terminate")
GONE = frozenset({"offline", "died"})


def worker_id(row: Row[Any]) -> str:
    """Id of a worker in URLs: as deterministic as a task's."""
    return ref_of(row.project_id, row.engine, row.app, f"worker\0{row.worker}")


def listed(
    conn: Connection, project_id: str, now_us: int, heartbeat_ms: int
) -> list[dict[str, Any]]:
    """Workers of the last day: running ones first, by name."""
    rows = store.listed(conn, project_id, now_us - SHOWN_US)
    offered = offers(conn, project_id)
    ends = store.recent_ends(conn, project_id, now_us - RECENT_US)
    refs = {
        ref_of(project_id, row.engine, row.app, task_id): (row.worker, task_id)
        for row in rows
        for task_id in row.running or ()
    }
    names = store.names_of(conn, list(refs)) if refs else {}
    found = [_json(row, offered, ends, names, now_us, heartbeat_ms) for row in rows]
    return sorted(found, key=lambda each: (each["state"] in GONE, each["name"]))


def shown(
    conn: Connection, project_id: str, wanted: str, now_us: int, heartbeat_ms: int
) -> dict[str, Any]:
    """One worker.

    Raises:
        NotFound: none of the last day has this id.
    """
    for each in listed(conn, project_id, now_us, heartbeat_ms):
        if each["id"] == wanted:
            return each
    raise NotFound("not_found", "no such worker")


def seats(conn: Connection, project_id: str) -> dict[tuple[str, str], tuple[int, int]]:
    """(engine, queue) to (busy, slots) of the workers that consume it."""
    found: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in store.listed(conn, project_id, 0):
        if row.state in GONE or not row.connected:
            continue
        for queue in row.queues or ():
            busy, slots = found[row.engine, queue]
            found[row.engine, queue] = (busy + (row.busy or 0), slots + (row.slots or 0))
    return found


def state_of(row: Row[Any], now_us: int, heartbeat_ms: int) -> str:
    """State from what the worker said, its loop's lag and its agent's beats."""
    if row.state != "online":
        return str(row.state)
    if row.connected and (row.lag_ms or 0) >= STALLED_MS:
        return "stalled"
    heard = max(row.heard or 0, row.last_beat or 0)
    if now_us - heard > SILENT_BEATS * heartbeat_ms * 1000:
        return "not_answering" if row.connected else "offline"
    return "online"


def _json(
    row: Row[Any], offered: Mapping[tuple[str, str], Offer],
    ends: Mapping[str, tuple[int, int]], names: Mapping[str, tuple[str, int | None]],
    now_us: int, heartbeat_ms: int,
) -> dict[str, Any]:  # fmt: skip
    ended, failed = ends.get(row.worker, (0, 0))
    offer = offered.get((row.engine, row.app))
    children = row.children or []
    state = state_of(row, now_us, heartbeat_ms)
    running = () if state in GONE else row.running or ()
    return {
        "id": worker_id(row), "name": row.worker, "engine": row.engine, "app": row.app,
        "host": row.host, "release": row.release, "state": state, "reason": row.reason,
        "busy": row.busy if state not in GONE else 0, "slots": row.slots, "pool": row.pool,
        "running": [_running(row, each, names) for each in running],
        "queues": row.queues or [], "processed": row.processed,
        "tasks_per_min": ended, "fail_pct": round(100 * failed / ended, 1) if ended else None,
        "rss_kb": _rss(row, children), "lag_ms": row.lag_ms, "up_since_at": ms(row.started),
        "last_heard_at": ms(max(row.heard, row.last_beat or 0)),
        "pids": [row.pid, *(child[0] for child in children)] if row.pid else [],
        "versions": row.versions or {}, "config": row.config or {},
        "agent": {
            "id": row.stream, "version": row.agent_version, "policy": row.policy,
            "storage": row.storage, "transport": row.transport,
            "spool_bytes": row.spool_bytes, "lost": row.spool_lost,
        },
        "can": {verb: can_json(can(offer, verb)) for verb in _VERBS},
    }  # fmt: skip


def _rss(row: Row[Any], children: list[Any]) -> int | None:
    sizes = [row.rss_kb, *(child[1] for child in children)]
    known = [size for size in sizes if size]
    return sum(known) if known else None


def _running(
    row: Row[Any], task_id: str, names: Mapping[str, tuple[str, int | None]]
) -> dict[str, Any]:
    ref = ref_of(row.project_id, row.engine, row.app, task_id)
    name, started = names.get(ref, ("", None))
    return {"ref": ref, "id": task_id, "task": name, "started_at": ms(started)}
