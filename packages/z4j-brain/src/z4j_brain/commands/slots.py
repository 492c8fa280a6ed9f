"""Bulks of fires: one command per slot, so many a second. The rule: begun at once, stopped as any.

A preview of them is the dry run of a backfill; here they are confirmed already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ..tasks.model import ref_of
from . import store
from .results import recount
from .service import Who

ACTION = "backfill"


class Slot(NamedTuple):
    """One slot and the id of its fire."""

    slot_ms: int
    fire_id: str


class Fires(NamedTuple):
    """A bulk to be: its place (project, engine, app), its parameters, its slots."""

    id: str
    place: tuple[str, str, str]
    params: Mapping[str, Any]
    slots: Sequence[Slot]
    per_second: int


def begin(conn: Connection, fires: Fires, who: Who, reason: str, now_us: int) -> None:
    """Store a bulk of fires that runs from now on."""
    project_id, engine, app = fires.place
    store.add_bulk(conn, {
        "id": fires.id, "project_id": project_id, "action": ACTION, "params": dict(fires.params),
        "as_of": now_us, "by": who.name, "by_id": who.id, "via": who.via, "reason": reason or None,
        "total": len(fires.slots), "counts": {}, "state": "running", "hold_until": now_us,
        "rate": fires.per_second, "created": now_us, "started": now_us,
    })  # fmt: skip
    store.add_items(conn, fires.id, [
        {
            "ref": ref_of(project_id, engine, app, each.fire_id), "engine": engine, "app": app,
            "task_id": each.fire_id, "slot_ms": each.slot_ms, "state": "held",
        }
        for each in fires.slots
    ])  # fmt: skip
    recount(conn, fires.id, now_us)
