"""The Now page: what is pressed, what fails, what needs somebody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row
from z4j_core.model.tasks import TaskState

from ..catalog import rollups
from ..catalog.service import percent
from ..db.histogram import Histogram, add, decode, quantile
from ..queues import service as queue_service
from ..search.window import step_us
from ..web.numbers import ms, num, quoted
from . import store

STRIP = 6
TOP = 5
SPARK = 30
HOUR_US = 3_600 * 1_000_000
_ENDS = ("succeeded", "failed", "cancelled", "expired", "lost")


def now(
    conn: Connection, project_id: str, span: tuple[int, int], now_us: int, *, args_visible: bool
) -> dict[str, Any]:
    """Everything on the Now page for a range."""
    from_us, to_us = span
    pressed = queue_service.listed(conn, project_id, now_us)
    minutes = rollups.by_minute(conn, project_id, from_us, to_us)
    spreads = rollups.histograms(conn, project_id, from_us, to_us)
    return {
        "queues": pressed[:STRIP],
        "queues_total": len(pressed),
        "throughput": throughput(minutes, spreads, from_us, to_us),
        "failing": failing(conn, project_id, span, args_visible=args_visible),
        "attention": attention(conn, project_id, now_us),
        "totals": _totals(conn, project_id, minutes),
    }


def throughput(
    minutes: Iterable[Row[Any]], spreads: Iterable[Row[Any]], from_us: int, to_us: int
) -> dict[str, Any]:
    """Ends per bucket by outcome, failure rate and p95 runtime; buckets without tasks stay out."""
    rows = list(minutes)
    first = min((row.minute for row in rows), default=to_us // rollups.MINUTE_US)
    start = max(from_us, first * rollups.MINUTE_US)
    step = step_us(start, to_us)
    counts: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys((*_ENDS, "retried"), 0))
    for row in rows:
        bucket = counts[row.minute * rollups.MINUTE_US // step]
        for name in bucket:
            bucket[name] += getattr(row, name)
    runtimes: dict[int, Histogram] = defaultdict(dict)
    for row in spreads:
        add(runtimes[row.minute * rollups.MINUTE_US // step], decode(row.runtime_hist))
    return {
        "from_at": start // 1000,
        "to_at": to_us // 1000,
        "step_ms": step // 1000,
        "series": [
            _point(bucket * step // 1000, counts[bucket], runtimes.get(bucket, {}))
            for bucket in sorted(counts)
        ],
    }


def _point(at: int, counts: dict[str, int], runtimes: Histogram) -> dict[str, Any]:
    ended = sum(counts[name] for name in _ENDS)
    slow = quantile(runtimes, 0.95)
    return {
        "at": at,
        "succeeded": counts["succeeded"],
        "failed": counts["failed"] + counts["lost"],
        "cancelled": counts["cancelled"] + counts["expired"],
        "retried": counts["retried"],
        "fail_pct": percent(counts["failed"] + counts["lost"], ended),
        "p95_took_us": None if slow is None else round(slow),
    }


def failing(
    conn: Connection, project_id: str, span: tuple[int, int], *, args_visible: bool
) -> list[dict[str, Any]]:
    """The definitions that fail most, worst first."""
    rows = [row for row in rollups.by_definition(conn, project_id, *span) if row.failed]
    rows.sort(key=lambda row: -row.failed)
    names = [row.name for row in rows[:TOP]]
    sparks = _sparks(conn, project_id, span, names) if names else {}
    return [
        _failing(conn, project_id, row, sparks.get((row.engine, row.name), []), args_visible)
        for row in rows[:TOP]
    ]


def _sparks(
    conn: Connection, project_id: str, span: tuple[int, int], names: list[str]
) -> dict[tuple[str, str], list[int]]:
    from_us, to_us = max(span[0], span[1] - 30 * 24 * HOUR_US), span[1]
    width = max(1, (to_us - from_us) // rollups.MINUTE_US // SPARK)
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * SPARK)
    for row in rollups.failures_by_minute(conn, project_id, from_us, to_us, names):
        place = min(SPARK - 1, (row.minute - from_us // rollups.MINUTE_US) // width)
        found[row.engine, row.name][place] += row.failed
    return found


def _failing(
    conn: Connection, project_id: str, row: Row[Any], spark: list[int], args_visible: bool  # noqa: FBT001 - a right
) -> dict[str, Any]:  # fmt: skip
    ended = sum(getattr(row, name) for name in _ENDS)
    last = rollups.last_failure(conn, project_id, row.engine, row.name)
    q = f"engine:{row.engine} task:{quoted(row.name)}"
    message = last.exc_message if last and args_visible else None
    return {
        "engine": row.engine,
        "task": row.name,
        "failed": num(row.failed, f"{q} state:failed", approx=True),
        "total": num(ended, q, approx=True),
        "fail_pct": percent(row.failed, ended),
        "last_error": {"type": last.exc_type, "message": message} if last else None,
        "last_at": ms(last.at) if last else None,
        "spark": spark,
    }


def attention(conn: Connection, project_id: str, now_us: int) -> list[dict[str, Any]]:
    """What needs somebody, worst first."""
    hour = now_us - HOUR_US
    found = []
    for row in store.gone_workers(conn, project_id, hour):
        held = len(row.running or ())
        text = f"worker {row.worker} {'died' if row.state == 'died' else 'went offline'}"
        text += f" with {held} running tasks" if held else ""
        found.append(_note(row.state, "error" if held else "warning", text, "/workers"))
    if lost := store.lost_since(conn, project_id, hour):
        found.append(_note("lost", "error", f"{lost} facts were lost in the last hour", "/workers"))
    if refused := store.refused_since(conn, project_id, hour):
        text = f"{refused} agents were refused in the last hour"
        found.append(_note("refused", "warning", text, "/settings/keys"))
    if silent := store.silent_agents(conn, project_id, now_us - 30_000_000):
        found.append(_note("silent", "warning", f"{silent} agents do not answer", "/workers"))
    return sorted(found, key=lambda note: note["level"] != "error")


def _note(kind: str, level: str, text: str, href: str) -> dict[str, Any]:
    return {"kind": kind, "level": level, "text": text, "href": href}


def _totals(conn: Connection, project_id: str, minutes: Iterable[Row[Any]]) -> dict[str, Any]:
    rows = list(minutes)
    ended = sum(getattr(row, name) for row in rows for name in _ENDS)
    failed = sum(row.failed for row in rows)
    return {
        "tasks": num(ended, "", approx=True),
        "failed": num(failed, "state:failed", approx=True),
        "running": _capped(conn, project_id, TaskState.RUNNING, "state:running"),
        "queued": _capped(conn, project_id, TaskState.QUEUED, "state:queued"),
    }


def _capped(conn: Connection, project_id: str, state: TaskState, q: str) -> dict[str, Any]:
    found = store.in_state(conn, project_id, int(state))
    return num(min(found, store.CAP), q, approx=found > store.CAP)
