"""Actions over HTTP. The rule: what is confirmed is what was previewed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row

from ..errors import Forbidden, Invalid
from ..tasks import service as task_service
from ..tasks.model import tasks
from ..web.ask import Ask
from ..web.cursor import seal, unseal
from ..web.rights import authorize, needs_step_up
from ..web.route import PROJECT, Table
from . import service, store
from .actions import ACTIONS

ENDPOINTS = Table()
MAX_REFS = 10_000
HOLD_S = 8
MAX_HOLD_S = 60
PAGE = 200
_COUNTED = ("held", "sent", "accepted", "done", "skipped", "refused", "failed", "expired",
            "indeterminate", "undone")  # fmt: skip


class Target(msgspec.Struct, forbid_unknown_fields=True):
    """A queue, a worker or a definition."""

    engine: str
    app: str | None = None
    queue: str | None = None
    worker: str | None = None
    task: str | None = None


class PreviewBody(msgspec.Struct, forbid_unknown_fields=True):
    """What shall be done to what."""

    action: str
    q: str | None = None
    range: str | None = None
    refs: list[str] | None = None
    targets: list[Target] = []
    params: dict[str, Any] = {}


class ConfirmBody(msgspec.Struct, forbid_unknown_fields=True):
    """The answer to a preview."""

    preview_id: str
    reason: str = ""
    typed: str | None = None
    hold_s: int | None = None


@ENDPOINTS.post(f"{PROJECT}/bulk/preview", "task.read", takes=PreviewBody)
async def preview(ask: Ask) -> dict[str, Any]:
    """Freeze the targets of an action and say what would become of each."""
    body = await ask.body(PreviewBody)
    action = service.action_of(body.action)
    authorize(ask.principal, action.right, ask.project)
    now_us = ask.brain.now_us()
    bulk_id = ask.brain.new_id()

    def work(conn: Connection) -> dict[str, Any]:
        wish = _wish(conn, ask, body, now_us)
        found = service.preview(conn, wish, who_of(ask), bulk_id, now_us)
        rows = task_service.rows_of(
            conn, ask.project.id, found.sample, now_us, args_visible=ask.args_visible
        )
        step_up = needs_step_up(ask.principal, action.right, now_us)
        return _preview_json(found, rows, step_up=step_up)

    return await ask.brain.db.write(work)


def _wish(conn: Connection, ask: Ask, body: PreviewBody, now_us: int) -> service.Wish:
    where: ColumnElement[bool] | None = None
    if body.refs is not None:
        if not 0 < len(body.refs) <= MAX_REFS:
            raise Invalid("request.invalid", f"1 to {MAX_REFS} refs", field="refs")
        where = tasks.c.ref.in_(body.refs)
    elif body.q is not None:
        where = task_service.clause_of(
            conn, ask.project.id, body.q, body.range, now_us, args_visible=ask.args_visible
        )
    targets = [_target(each) for each in body.targets]
    params = dict(body.params)
    if ACTIONS[body.action].about == "definition" and not targets:
        targets = [{name: str(params.pop(name, "") or "") for name in ("engine", "app")}]
        targets[0]["name"] = str(params.pop("task", "") or "")
        params = {"eta" if k == "eta_at" else k: v for k, v in params.items()}
    return service.Wish(
        action=body.action, project_id=ask.project.id, q=body.q, where=where,
        targets=targets, params=params,
    )  # fmt: skip


def _target(each: Target) -> dict[str, str]:
    name = each.queue or each.worker or each.task or ""
    return {"engine": each.engine, "app": each.app or "", "name": name}


def who_of(ask: Ask) -> service.Who:
    who = ask.principal
    return service.Who(id=who.user_id, name=who.name, via=who.via)


def _preview_json(
    found: service.Preview, rows: list[dict[str, Any]], *, step_up: bool
) -> dict[str, Any]:
    will: dict[str, int] = defaultdict(int)
    skipped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    drift = 0
    for engine, _state, code, n in found.counts:
        if code is None:
            will[engine] += n
            continue
        skipped[engine].append({"code": code, "n": n, "why": service.skip_sentence(code)})
        drift += n if code == "task.state_changed" else 0
    engines = sorted({*will, *skipped})
    return {
        "preview_id": found.id,
        "as_of": found.as_of // 1000,
        "total": found.total,
        "by_state": {task_service.state_name(state): n for state, n in found.states.items()},
        "sample": rows,
        "effect": found.action.effect,
        "per_engine": [
            {"engine": each, "will": will[each], "skipped": skipped[each]} for each in engines
        ],
        "drift": drift,
        "needs": {
            "reason": found.action.needs_reason, "typed": found.typed, "step_up": step_up,
        },
    }  # fmt: skip


@ENDPOINTS.post(f"{PROJECT}/bulk", "task.read", takes=ConfirmBody, status=202)
async def confirm(ask: Ask) -> dict[str, Any]:
    """Let a previewed action run, after a moment in which it can be undone."""
    body = await ask.body(ConfirmBody)
    brain, now_us = ask.brain, ask.brain.now_us()
    key = ask.request.headers.get("idempotency-key", "")[:128] or None
    held_s = body.hold_s if body.hold_s is not None else HOLD_S if ask.principal.session else 0
    said = service.Confirmation(
        reason=body.reason, typed=body.typed, key=key,
        hold_us=min(max(held_s, 0), MAX_HOLD_S) * 1_000_000,
    )  # fmt: skip

    def work(conn: Connection) -> Row[Any]:
        if key and (before := store.bulk_of_key(conn, ask.project.id, key)) is not None:
            return before
        shown = service.bulk_of(conn, ask.project.id, body.preview_id)
        right = service.action_of(shown.action).right
        authorize(ask.principal, right, ask.project)
        if needs_step_up(ask.principal, right, now_us):
            raise Forbidden("auth.step_up", "prove again that it is you: type your password")
        return service.confirm(conn, shown, said, who_of(ask), brain.new_id(), now_us)

    return changed(ask, await brain.db.write(work))


def changed(ask: Ask, bulk: Row[Any]) -> dict[str, Any]:
    ask.brain.nudge()
    if ask.brain.streams is not None:
        ask.brain.streams.bulk_changed(ask.project.id, bulk.id)
    return bulk_json(bulk)


def bulk_json(bulk: Row[Any]) -> dict[str, Any]:
    """A bulk as the API shows it."""
    counts = dict(bulk.counts or {})
    counts["held"] = counts.get("held", 0) + counts.get("sealed", 0)
    return {
        "id": bulk.id,
        "action": bulk.action,
        "params": bulk.params or {},
        "q": bulk.q,
        "state": bulk.state,
        "total": bulk.total,
        "counts": {name: counts.get(name, 0) for name in _COUNTED},
        "rate": bulk.rate,
        "hold_until_at": _ms(bulk.hold_until),
        "by": bulk.by,
        "via": bulk.via,
        "reason": bulk.reason,
        "created_at": _ms(bulk.created),
        "finished_at": _ms(bulk.finished),
    }


def _ms(us: int | None) -> int | None:
    return None if us is None else us // 1000


@ENDPOINTS.get(f"{PROJECT}/bulk", "task.read", query=("cursor", "limit"))
async def listed(ask: Ask) -> dict[str, Any]:
    """Actions taken, newest first."""
    limit = ask.number("limit", 50, PAGE) or 1
    key, purpose = ask.brain.roots.derive("cursor"), f"bulks {ask.project.id}"
    before = None
    if cursor := ask.text("cursor"):
        at, bulk_id = unseal(key, purpose, cursor, 2)
        before = (int(at), str(bulk_id))
    rows = await ask.brain.db.read(store.bulk_list, ask.project.id, before, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    last = seal(key, purpose, [rows[-1].created, rows[-1].id]) if more else None
    return {"items": [bulk_json(row) for row in rows], "next": last}


@ENDPOINTS.get(f"{PROJECT}/bulk/{{id}}", "task.read")
async def shown(ask: Ask) -> dict[str, Any]:
    """One action."""
    return bulk_json(await ask.brain.db.read(service.bulk_of, ask.project.id, ask.path("id")))


@ENDPOINTS.get(f"{PROJECT}/bulk/{{id}}/items", "task.read", query=("cursor", "state", "limit"))
async def listed_items(ask: Ask) -> dict[str, Any]:
    """What became of each target."""
    bulk_id, limit = ask.path("id"), ask.number("limit", 100, PAGE) or 1
    key, purpose = ask.brain.roots.derive("cursor"), f"items {bulk_id}"
    cursor = ask.text("cursor")
    after = int(unseal(key, purpose, cursor, 1)[0]) if cursor else -1

    def work(conn: Connection) -> list[Row[Any]]:
        service.bulk_of(conn, ask.project.id, bulk_id)
        return store.items(conn, bulk_id, after, limit + 1, ask.text("state") or None)

    rows = await ask.brain.db.read(work)
    more = len(rows) > limit
    rows = rows[:limit]
    last = seal(key, purpose, [rows[-1].idx]) if more else None
    return {"items": [_item_json(row) for row in rows], "next": last}


def _item_json(row: Row[Any]) -> dict[str, Any]:
    return {
        "idx": row.idx, "ref": row.ref, "id": row.task_id, "task": row.name,
        "engine": row.engine, "state": row.state, "code": row.code,
        "detail": row.detail or (service.skip_sentence(row.code) if row.code else None),
        "new_id": row.new_id, "new_ref": row.new_ref,
    }  # fmt: skip
