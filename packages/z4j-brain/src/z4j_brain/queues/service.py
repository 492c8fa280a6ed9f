"""Queues as a page shows them. The rule: an unknown depth is unknown, never 0."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row

from ..agents.offers import Offer, can, can_json, offers
from ..catalog import rollups
from ..web.numbers import ms
from ..workers import service as worker_service
from . import store

MINUTE_US = 60_000_000
FLOW_MINUTES = 5
SPARK_MINUTES = 60
STALE_US = 60 * 1_000_000
_VERBS = ("pause", "resume", "purge", "peek")

Place = tuple[str, str]


def listed(conn: Connection, project_id: str, now_us: int) -> list[dict[str, Any]]:
    """All queues, most pressed first: oldest, then deepest, then busiest."""
    offered = offers(conn, project_id)
    flow = _flow(conn, project_id, now_us)
    seats = worker_service.seats(conn, project_id)
    sparks = _sparks(conn, project_id, now_us)
    rows = store.known(conn, project_id)
    found = [_json(row, offered, flow, seats, sparks, now_us) for row in rows]
    told = {(row.engine, row.name) for row in rows}
    found += [
        _silent(place, flow[place], offered, seats) for place in sorted(flow) if place not in told
    ]
    return sorted(found, key=_pressure)


def _pressure(queue: Mapping[str, Any]) -> tuple[int, int, float, str]:
    return (
        -(queue["oldest_us"] or 0), -(queue["depth"] or 0), -queue["in_per_s"], queue["name"]
    )  # fmt: skip


def _flow(conn: Connection, project_id: str, now_us: int) -> dict[Place, tuple[float, float]]:
    since = now_us - FLOW_MINUTES * MINUTE_US
    width_s = FLOW_MINUTES * 60.0
    return {
        (row.engine, row.queue): (
            round(row.enqueued / width_s, 2), round(row.started / width_s, 2)
        )
        for row in rollups.by_queue(conn, project_id, since, now_us)
        if row.queue
    }  # fmt: skip


def _sparks(
    conn: Connection, project_id: str, now_us: int
) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in store.depths(conn, project_id, now_us // MINUTE_US - SPARK_MINUTES):
        point = {"at": row.minute * 60_000, "depth": row.depth}
        found[row.engine, row.app, row.name].append(point)
    return found


def _json(
    row: Row[Any], offered: Mapping[Place, Offer], flow: Mapping[Place, tuple[float, float]],
    seats: Mapping[Place, tuple[int, int]],
    sparks: Mapping[tuple[str, str, str], list[dict[str, Any]]], now_us: int,
) -> dict[str, Any]:  # fmt: skip
    place = (row.engine, row.name)
    offer = offered.get((row.engine, row.app))
    into, out = flow.get(place, (0.0, 0.0))
    stale = row.sampled is None or now_us - row.sampled > STALE_US
    depth = None if stale and offer is None else row.depth
    busy, slots = seats.get(place, (0, 0))
    return {
        "engine": row.engine, "app": row.app, "name": row.name, "depth": depth,
        "depth_why": None if depth is not None else _why(offer),
        "scheduled": row.scheduled, "unacked": row.unacked, "dead": row.dead,
        "consumers": row.consumers,
        "oldest_us": max(0, now_us - row.oldest) if row.oldest and depth else None,
        "paused": row.paused, "in_per_s": into, "out_per_s": out,
        "drain_s": drain_s(depth, into, out), "busy": busy, "slots": slots,
        "spark": sparks.get((row.engine, row.app, row.name), []), "can": _can(offer),
    }  # fmt: skip


def _silent(
    place: Place, flow: tuple[float, float], offered: Mapping[Place, Offer],
    seats: Mapping[Place, tuple[int, int]],
) -> dict[str, Any]:  # fmt: skip
    engine, name = place
    offer = next((each for each in offered.values() if each.engine == engine), None)
    busy, slots = seats.get(place, (0, 0))
    return {
        "engine": engine, "app": offer.app if offer else "", "name": name, "depth": None,
        "depth_why": _why(offer), "scheduled": None, "unacked": None, "dead": None,
        "consumers": None, "oldest_us": None, "paused": None, "in_per_s": flow[0],
        "out_per_s": flow[1], "drain_s": None, "busy": busy, "slots": slots, "spark": [],
        "can": _can(offer),
    }  # fmt: skip


def _why(offer: Offer | None) -> str:
    if offer is None:
        return "no agent of this broker connected"
    return "no agent has reported this queue yet"


def _can(offer: Offer | None) -> dict[str, Any]:
    return {verb: can_json(can(offer, verb)) for verb in _VERBS}


def drain_s(depth: int | None, into: float, out: float) -> float | str | None:
    """Seconds until a queue is empty at this pace, `never`, or None when nobody can tell."""
    if depth is None:
        return None
    if depth == 0:
        return 0.0
    return round(depth / (out - into), 1) if out > into else "never"


def held_json(held: Mapping[str, Any], args_visible: bool) -> dict[str, Any]:  # noqa: FBT001 - a right
    """A waiting message as an agent described it."""
    return {
        "id": held.get("id"),
        "task": held.get("task"),
        "args": _preview(held.get("args"), held.get("opaque")) if args_visible else HIDDEN,
        "kwargs": _preview(held.get("kwargs"), None) if args_visible else HIDDEN,
        "enqueued_at": ms(held.get("enqueued")),
    }


HIDDEN = {"hidden": True}


def _preview(told: Any, opaque: str | None) -> dict[str, Any] | None:
    if isinstance(told, list) and len(told) == len(_PREVIEW):
        return dict(zip(_PREVIEW, told, strict=True))
    return None if opaque is None else {"flags": 4, "size": len(opaque), "text": opaque}


_PREVIEW = ("flags", "size", "text")
