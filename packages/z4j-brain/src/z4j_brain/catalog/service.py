"""What definitions there are and how their tasks fare."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row

from ..agents.offers import offers
from ..db.histogram import Histogram, add, decode, quantile
from ..errors import NotFound
from ..web.numbers import ms, num, quoted
from . import rollups

_ENDS = ("succeeded", "failed", "cancelled", "expired", "lost")


def definitions(
    conn: Connection, project_id: str, from_us: int, to_us: int
) -> list[dict[str, Any]]:
    """Every definition registered or seen in the window."""
    seen = {
        (row.engine, row.name): row
        for row in rollups.by_definition(conn, project_id, from_us, to_us)
    }
    spread = merged_by_name(rollups.histograms(conn, project_id, from_us, to_us))
    known: dict[tuple[str, str], Row[Any]] = {}
    for row in rollups.registered(conn, project_id):
        known.setdefault((row.engine, row.name), row)
    live = {offer.engine for offer in offers(conn, project_id).values()}
    return [
        _json(place, known.get(place), seen.get(place), spread.get(place, {}), live)
        for place in sorted({*seen, *known})
        if place[1]
    ]


def definition(
    conn: Connection, project_id: str, place: tuple[str, str], from_us: int, to_us: int
) -> dict[str, Any]:
    """One definition with its counts per minute.

    Raises:
        NotFound: neither registered nor seen in the window.
    """
    found = [
        each
        for each in definitions(conn, project_id, from_us, to_us)
        if (each["engine"], each["name"]) == place
    ]
    if not found:
        raise NotFound("not_found", "no such definition")
    failure = rollups.last_failure(conn, project_id, *place)
    minutes = rollups.by_minute(conn, project_id, from_us, to_us, place)
    return found[0] | {
        "last_failure_at": ms(failure.at) if failure else None,
        "series": [
            {"at": row.minute * 60_000, "succeeded": row.succeeded, "failed": row.failed}
            for row in minutes
        ],
    }


def merged_by_name(rows: Iterable[Row[Any]]) -> dict[tuple[str, str], Histogram]:
    """Runtime histograms of the window by (engine, definition)."""
    found: dict[tuple[str, str], Histogram] = defaultdict(dict)
    for row in rows:
        add(found[row.engine, row.name], decode(row.runtime_hist))
    return found


def percent(part: int, whole: int) -> float | None:
    """Per cent with one digit; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


def _json(
    place: tuple[str, str], known: Row[Any] | None, seen: Row[Any] | None,
    spread: Histogram, live: set[str],
) -> dict[str, Any]:  # fmt: skip
    engine, name = place
    q = f"engine:{engine} task:{quoted(name)}"
    ended = sum(getattr(seen, each) for each in _ENDS) if seen else 0
    failed = seen.failed if seen else 0
    return {
        "engine": engine,
        "name": name,
        "app": known.app if known else None,
        "module": known.module if known else None,
        "doc": known.doc if known else None,
        "queue": known.queue if known else None,
        "params": [_param(each) for each in (known.params or [])] if known else [],
        "registered": known is not None,
        "live": known is not None and engine in live,
        "count": num(ended, q, approx=True),
        "failed": num(failed, f"{q} state:failed", approx=True),
        "fail_pct": percent(failed, ended),
        "p50_us": _whole(quantile(spread, 0.5)),
        "p95_us": _whole(quantile(spread, 0.95)),
        "p99_us": _whole(quantile(spread, 0.99)),
        "last_failure_at": None,
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _param(stored: Any) -> dict[str, Any]:
    if isinstance(stored, dict):
        return stored
    name, kind, has_default, default, annotation = (*stored, None, None, None, None)[:5]
    return {
        "name": name, "kind": kind, "has_default": bool(has_default), "default": default,
        "annotation": annotation,
    }  # fmt: skip
