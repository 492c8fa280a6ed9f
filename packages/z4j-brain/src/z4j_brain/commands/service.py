"""Bulks: preview, confirm, undo, stop. The rule: no mutation without a preview of its targets.

preview (targets frozen) -> held (undo) -> running (paused) -> done | aborted | undone
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_

from ..agents.offers import Can, Offer, can, offers
from ..audit.service import Entry, record
from ..errors import Conflict, Forbidden, Invalid, NotFound
from ..tasks.model import tasks
from . import store
from .actions import ACTIONS, SKIPPED, Action
from .results import recount
from .typed import checked_params

MAX_TARGETS = 100_000
PREVIEW_TTL_US = 15 * 60 * 1_000_000
REASON_CHARS = 3
MAX_REASON = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who acts: as shown and audited."""

    id: str
    name: str
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What shall be done to what. Either `where` (tasks) or `targets` (queues, workers, names)."""

    action: str
    project_id: str
    q: str | None = None
    where: ColumnElement[bool] | None = None
    targets: Sequence[Mapping[str, str]] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen."""

    id: str
    as_of: int
    total: int
    states: Mapping[int, int]
    sample: list[str]
    counts: list[tuple[str, str, str | None, int]]
    action: Action
    typed: str | None


def action_of(name: str) -> Action:
    """The row of the table of actions.

    Raises:
        Invalid: there is no such action.
    """
    action = ACTIONS.get(name)
    if action is None:
        known = ", ".join(sorted(ACTIONS))
        raise Invalid("request.invalid", f"no such action; known: {known}", field="action")
    return action


def preview(conn: Connection, wish: Wish, who: Who, bulk_id: str, now_us: int) -> Preview:
    """Freeze the targets and say what would become of each.

    Raises:
        Invalid: no such action, wrong parameters, no target or too many.
    """
    action = action_of(wish.action)
    if action.single:
        raise Invalid("request.invalid", "a backfill is previewed at its schedule", field="action")
    params = checked_params(wish.action, action.params, wish.params)
    store.add_bulk(conn, {
        "id": bulk_id, "project_id": wish.project_id, "action": wish.action, "params": params,
        "q": wish.q, "as_of": now_us, "by": who.name, "by_id": who.id, "via": who.via,
        "total": 0, "counts": {}, "state": "preview", "created": now_us,
    })  # fmt: skip
    offered = offers(conn, wish.project_id)
    if action.about == "task":
        total = _freeze_tasks(conn, wish, action, offered, bulk_id, now_us)
    else:
        total = _freeze_named(conn, wish, action, offered, bulk_id)
    store.change_bulk(conn, bulk_id, ["preview"], total=total)
    counts = store.outcome_counts(conn, bulk_id)
    return Preview(
        bulk_id, now_us, total, store.task_states(conn, bulk_id),
        store.sample_refs(conn, bulk_id, 5), counts, action, _typed(action, wish, counts),
    )  # fmt: skip


def _freeze_tasks(
    conn: Connection, wish: Wish, action: Action, offered: Mapping[tuple[str, str], Offer],
    bulk_id: str, now_us: int,
) -> int:  # fmt: skip
    if wish.where is None:
        raise Invalid("request.invalid", "name refs or a query", field="refs")
    verdicts = {place: can(offer, action.verb) for place, offer in offered.items()}
    able = [place for place, verdict in verdicts.items() if verdict.ok]
    gaps: dict[str, list[tuple[str, str]]] = {}
    for place, verdict in verdicts.items():
        if verdict.code:
            gaps.setdefault(verdict.code, []).append(place)
    code = store.skip_code(action, able, gaps, now_us)
    where = and_(tasks.c.project_id == wish.project_id, wish.where)
    total = store.freeze(conn, bulk_id, where, code, MAX_TARGETS)
    if total > MAX_TARGETS:
        raise Invalid("bulk.too_many", f"more than {MAX_TARGETS} tasks match: narrow the query")
    return total


def _freeze_named(
    conn: Connection, wish: Wish, action: Action, offered: Mapping[tuple[str, str], Offer],
    bulk_id: str,
) -> int:  # fmt: skip
    if not wish.targets or len(wish.targets) > MAX_TARGETS:
        raise Invalid("request.invalid", f"name at least one {action.about}", field="targets")
    rows = []
    for target in wish.targets:
        engine, name = target.get("engine", ""), target.get("name", "")
        if not engine or not name:
            raise Invalid("request.invalid", "a target is engine and name", field="targets")
        app = target.get("app") or _app_for(offered, engine, action.verb)
        verdict = can(offered.get((engine, app)), action.verb)
        rows.append(_named_row(engine, app, name, verdict))
    store.add_items(conn, bulk_id, rows)
    return len(rows)


def _app_for(offered: Mapping[tuple[str, str], Offer], engine: str, verb: str) -> str:
    apps = [offer.app for offer in offered.values() if offer.engine == engine]
    able = [app for app in apps if can(offered[engine, app], verb).ok]
    return next(iter(able or apps), "")


def _named_row(engine: str, app: str, name: str, verdict: Can) -> dict[str, Any]:
    return {
        "ref": None, "engine": engine, "app": app, "task_id": name,
        "state": "held" if verdict.ok else "skipped", "code": verdict.code,
    }  # fmt: skip


def _typed(
    action: Action, wish: Wish, counts: list[tuple[str, str, str | None, int]]
) -> str | None:
    if action.typed == "count":
        return str(sum(n for _engine, state, _code, n in counts if state == "held"))
    if action.typed == "target" and wish.targets:
        return wish.targets[0].get("name", "")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a person says to a preview; `hold_us` is the undo window, `key` makes it idempotent."""

    reason: str = ""
    typed: str | None = None
    hold_us: int = 0
    key: str | None = None


def confirm(
    conn: Connection, shown: Row[Any], said: Confirmation, who: Who, entry_id: str, now_us: int
) -> Row[Any]:
    """Let a preview become a bulk that runs after its hold; writes the audit row.

    Raises:
        Conflict: the preview is old or was used.
        Invalid: reason or typed word is missing or wrong.
        Forbidden: somebody else's preview.
    """
    if shown.by_id != who.id:
        raise Forbidden("auth.role", "this preview was made by somebody else")
    action = action_of(shown.action)
    if shown.state != "preview" or now_us - shown.created > PREVIEW_TTL_US:
        raise Conflict("bulk.stale_preview", "look at a fresh preview first")
    _check_said(conn, shown, action, said)
    store.change_bulk(
        conn, shown.id, ["preview"], state="held", reason=said.reason[:MAX_REASON] or None,
        hold_until=now_us + said.hold_us, created=now_us, idempotency_key=said.key,
    )  # fmt: skip
    recount(conn, shown.id, now_us)
    detail = {"q": shown.q, "total": shown.total, "params": _audited(shown.params)}
    record(conn, entry_id, now_us, Entry(
        action.right, who.name, who.via, shown.project_id, f"bulk {shown.id}",
        reason=said.reason or None, detail=detail,
    ))  # fmt: skip
    return bulk_of(conn, shown.project_id, shown.id)


def _audited(params: Mapping[str, Any] | None) -> dict[str, Any]:
    hidden = {"args", "kwargs"}
    return {name: "…" if name in hidden else value for name, value in (params or {}).items()}


def _check_said(conn: Connection, shown: Row[Any], action: Action, said: Confirmation) -> None:
    if action.needs_reason and len(said.reason.strip()) < REASON_CHARS:
        raise Invalid("bulk.reason", "say why, in at least 3 characters", field="reason")
    counts = store.outcome_counts(conn, shown.id)
    if action.typed == "count":
        want = str(sum(n for _engine, state, _code, n in counts if state == "held"))
    elif action.typed == "target":
        want = store.items(conn, shown.id, -1, 1)[0].task_id
    else:
        return
    if said.typed != want:
        raise Invalid("bulk.typed", f"type {want} to confirm", field="typed")


def bulk_of(conn: Connection, project_id: str, bulk_id: str) -> Row[Any]:
    """A bulk of this project.

    Raises:
        NotFound: there is none.
    """
    found = store.bulk(conn, project_id, bulk_id)
    if found is None:
        raise NotFound("not_found", "no such action")
    return found


def skip_sentence(code: str | None) -> str:
    """Why a target is left out, in words."""
    return SKIPPED.get(code or "", code or "")
