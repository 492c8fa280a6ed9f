"""Schedules and fires as the API shows them. The rule: arguments are for those who may see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from ..agents.offers import WHY, Can, Offer, can, can_json, offers
from ..search.keys import STATES
from ..tasks.model import ref_of
from ..web.numbers import ms
from . import firerows, level, store, timing
from .firerows import STATUSES, TRIGGERS
from .written import Json, days_off, text_of

HIDDEN = ("args", "kwargs", "headers")
SENT = 3


def many(
    conn: Connection, project_id: str, rows: Sequence[Row[Any]], now_ms: int, *, args_visible: bool
) -> list[Json]:
    """Schedules as a list shows them."""
    days = days_off(conn, project_id)
    strips = firerows.strips(conn, [row.id for row in rows])
    offered = offers(conn, project_id)
    registered = level.registered(conn, project_id)
    found = []
    for row in rows:
        coming = timing.next_of(row, days, now_ms, is_spent=is_spent(conn, row))
        strip = strips[row.id]
        document: Json = json.loads(row.document)
        if not args_visible:
            document |= {"args": [], "kwargs": {}, "headers": {}, "args_hidden": True}
        offer = offered.get((row.engine, row.app))
        found.append(document | {
            "id": row.id, "engine": row.engine, "app": row.app, "owner": row.owner,
            "enabled": row.enabled, "paused": paused_json(row), "generation": row.generation,
            "revision": row.revision, "created": ms(row.created), "updated": ms(row.updated),
            "words": coming.words,
            "next_slot_ms": coming.slot.at_ms if coming.slot else None,
            "next_due_ms": coming.due_ms, "last_slot_ms": row.last_slot_ms,
            "last_result": last_result(strip),
            "consecutive_failures": row.consecutive_failures, "fires_total": row.fires_total,
            "strip": [strip_json(each) for each in strip], "lag_p95_ms": lag_p95_ms(strip),
            "drift": drift_json(drift(row), args_visible=args_visible),
            "silent": row.silent, "can": _can(row, offer, registered),
        })  # fmt: skip
    return found


def is_spent(conn: Connection, row: Row[Any]) -> bool:
    """Whether a schedule has fired as often as it may."""
    most = timing.max_fires(row)
    return most is not None and firerows.claims(conn, row) >= most


RECENT_US = 10_000_000


def changed(
    conn: Connection, project_id: str, ids: Sequence[str], now_us: int, *, args_visible: bool
) -> Json:
    """Schedules that changed, for pages that show them; `*` stands for those of just now."""
    rows = store.some(conn, project_id, [each for each in ids if each != "*"])
    if "*" in ids:
        known = {row.id for row in rows}
        recent = store.recent(conn, project_id, now_us - RECENT_US)
        rows += [row for row in recent if row.id not in known]
    gone = sorted({*ids} - {"*"} - {row.id for row in rows})
    up = many(conn, project_id, rows, now_us // 1000, args_visible=args_visible)
    return {"up": up, "gone": gone}


def strip_json(fire: Row[Any]) -> Json:
    """One cell of the strip."""
    return {
        "slot_ms": fire.slot_ms, "status": STATUSES[fire.status], "lag_ms": fire.lag_ms,
        "state": None if fire.state is None else STATES[fire.state], "fire_id": fire.fire_id,
    }  # fmt: skip


def last_result(strip: Sequence[Row[Any]]) -> str | None:
    """What became of the newest fire: the state of its task, or why there is none."""
    if not strip:
        return None
    last = strip[-1]
    return STATUSES[last.status] if last.state is None else STATES[last.state]


def lag_p95_ms(strip: Sequence[Row[Any]]) -> int | None:
    """How late all but the latest twentieth of the newest fires on a timer were placed."""
    lags = sorted(each.lag_ms for each in strip if each.status == SENT and each.trigger == 1)
    return lags[max(0, -(-len(lags) * 95 // 100) - 1)] if lags else None


def paused_json(row: Any) -> Json | None:
    """Who paused a schedule, when, why and until when; None when it is not paused."""
    if not row.paused:
        return None
    return {
        "by": row.paused_by, "at": ms(row.paused_at), "note": row.paused_note,
        "until": row.paused_until_ms,
    }  # fmt: skip


def drift(row: Any) -> list[Json]:
    """Fields that differ from what a file declared."""
    if row.declared is None:
        return []
    declared: Json = json.loads(row.declared)
    now = json.loads(row.document) | {"enabled": row.enabled}
    return [
        {"field": name, "declared": declared[name], "now": now.get(name)}
        for name in sorted(declared)
        if text_of(declared[name]) != text_of(now.get(name))
    ]


def drift_json(fields: Sequence[Json], *, args_visible: bool) -> list[Json]:
    """Drifted fields as this viewer may see them."""
    return [
        each
        if args_visible or each["field"] not in HIDDEN
        else {"field": each["field"], "declared": None, "now": None}
        for each in fields
    ]


_NOW = Can(ok=True)


def _can(row: Any, offer: Offer | None, registered: frozenset[bytes]) -> Json:
    fire = can(offer, "fire")
    needs = level.needs(json.loads(row.document), registered)
    if fire.ok and offer is not None and offer.level < needs:
        fire = Can(
            ok=False, code="policy.args_not_registered", why=WHY["policy.level"], fix=level.FIX
        )
    edit = _NOW
    if row.owner.startswith("native:"):
        edit = Can(ok=False, code="schedule.read_only", why="it belongs to another scheduler")
    paused = Can(ok=False, code="schedule.paused", why="it is paused already")
    running = Can(ok=False, code="schedule.running", why="it is not paused")
    return {
        "edit": can_json(edit), "delete": can_json(edit), "fire": can_json(fire),
        "backfill": can_json(fire), "pause": can_json(paused if row.paused else _NOW),
        "resume": can_json(_NOW if row.paused else running),
    }  # fmt: skip


def fire_json(row: Any, *, named: bool = False) -> Json:
    """A fire as the history shows it."""
    task = None
    if row.state is not None:
        ref = ref_of(row.project_id, row.engine, row.app, row.fire_id)
        task = {"ref": ref, "state": STATES[row.state]}
    found: Json = {
        "fire_id": row.fire_id, "slot_ms": row.slot_ms, "slot_local": row.slot_local,
        "fold": row.fold, "due": ms(row.due), "claimed": ms(row.claimed), "sent": ms(row.sent),
        "lag_ms": row.lag_ms, "status": STATUSES[row.status], "reason": row.reason,
        "trigger": TRIGGERS[row.trigger], "epoch": row.epoch, "enq": row.enq, "count": row.count,
        "revision": row.revision, "generation": row.generation, "actor": row.actor, "task": task,
    }  # fmt: skip
    if named:
        found |= {
            "schedule": row.schedule_id, "schedule_name": row.schedule_name,
            "definition": row.definition, "engine": row.engine, "app": row.app,
        }  # fmt: skip
    return found


def revision_json(row: Any, *, args_visible: bool) -> Json:
    """One edit: who made it and what it changed."""
    changed = json.loads(row.changes)
    return {
        "revision": row.revision, "at": ms(row.at), "by": row.by,
        "changes": [
            {"field": name, "before": before, "after": after}
            if args_visible or name not in HIDDEN
            else {"field": name, "before": None, "after": None}
            for name, before, after in changed
        ],
    }  # fmt: skip


def fields_json(fields: Sequence[Mapping[str, Any]], *, args_visible: bool) -> list[Json]:
    """Fields that two editors changed."""
    return [
        dict(each)
        if args_visible or each["field"] not in HIDDEN
        else {"field": each["field"], "base": None, "yours": None, "theirs": None}
        for each in fields
    ]
