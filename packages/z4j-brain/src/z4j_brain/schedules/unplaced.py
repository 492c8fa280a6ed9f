"""Fires that were ordered and not placed. The rule: whoever ordered one finds it in the history.

No agent tells of a fire it refused, and none is left to tell where nobody answered. The brain notes
both with `enq` 0, and gives way to whatever an agent tells later.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select
from z4j_core.model.fires import Status, Why

from ..commands.model import commands
from . import newest
from .model import fires

NOTED = 0
"""`enq` of a fire that only the brain has told of."""
_BY_HAND = frozenset({Why.MANUAL, Why.BACKFILL, Why.REPLAY})
_STATUS = {
    "refused": Status.REFUSED, "failed": Status.FAILED, "indeterminate": Status.FAILED,
    "no_answer": Status.FAILED, "expired": Status.EXPIRED,
}  # fmt: skip
_SILENT = {
    "no_answer": "engine.indeterminate: the agent did not answer, nobody knows whether it fired",
    "expired": "agent.none: no agent took it in time",
}
_LONGEST = 256
_CHUNK = 500


def note(conn: Connection, cmd_ids: Iterable[str], now_us: int) -> dict[str, set[str]]:
    """Note those of some commands that were fires by hand and came to nothing.

    Returns the schedules whose history changed, by project.
    """
    changed: dict[str, set[str]] = {}
    wanted = sorted(set(cmd_ids))
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        ended = and_(commands.c.cmd_id.in_(part), commands.c.state.in_(_STATUS))
        query = select(commands).where(ended, commands.c.verb == "fire")
        for row in conn.execute(query).all():
            params: dict[str, Any] = row.params or {}
            if params.get("trigger") in _BY_HAND and not _is_told(conn, row, params):
                conn.execute(insert(fires).values(**_row(row, params, now_us)))
                changed.setdefault(row.project_id, set()).add(params["schedule"])
    newest.keep(conn, set().union(*changed.values()))
    return changed


def _is_told(conn: Connection, row: Row[Any], params: dict[str, Any]) -> bool:
    place = and_(
        fires.c.schedule_id == params["schedule"], fires.c.generation == params["generation"],
        fires.c.slot_ms == params["slot"], fires.c.nonce == (params["nonce"] or ""),
    )  # fmt: skip
    same = and_(fires.c.project_id == row.project_id, fires.c.fire_id == params["fire_id"])
    return conn.execute(select(fires.c.fire_id).where(place | same)).first() is not None


def _row(row: Row[Any], params: dict[str, Any], now_us: int) -> dict[str, Any]:
    return {
        "schedule_id": params["schedule"], "generation": params["generation"],
        "slot_ms": params["slot"], "nonce": params["nonce"] or "", "fire_id": params["fire_id"],
        "project_id": row.project_id, "engine": row.engine, "app": row.app,
        "status": int(_STATUS[row.state]), "trigger": params["trigger"], "reason": _reason(row),
        "actor": params["actor"], "due": row.created, "claimed": None, "sent": None,
        "lag_ms": max(now_us - row.created, 0) // 1000, "epoch": 0, "fold": 0,
        "revision": params["revision"], "enq": NOTED, "count": 1,
    }  # fmt: skip


def _reason(row: Row[Any]) -> str:
    """The code an agent gave, and its words."""
    said: dict[str, Any] = row.result or {}
    code, detail = said.get("code") or "", said.get("detail") or ""
    told = ": ".join(str(each) for each in (code, detail) if each)
    found: str = told or _SILENT.get(row.state) or str(row.state)
    return found[:_LONGEST]
