"""One task in full. The rule: every gap names its reason, every refused action what would help."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ..agents.offers import Can, can, can_json, offers
from ..commands.actions import ACTIONS
from ..errors import NotFound
from ..search.keys import STATES
from ..web.numbers import ms
from . import store
from .flow import nearest
from .frames import frames_of
from .model import ref_of
from .shapes import HIDDEN, Row, link, preview, task_json, text_preview

MOST_CHILDREN = 100
_FACTS = (
    ("pid", "pid"),
    ("timeout", "timeout_ms"),
    ("tries left", "tries_left"),
    ("route", "route"),
    ("group", "group_id"),
    ("schedule", "schedule"),
    ("fire", "fire_id"),
    ("trace", "trace"),
    ("command", "cmd_id"),
)
_ACTION_NAMES = {
    "retry": "retry",
    "edit_retry": "retry_edited",
    "cancel": "cancel",
    "terminate": "terminate",
}


def detail(
    conn: Connection, project_id: str, ref: str, now_us: int, *, args_visible: bool
) -> dict[str, Any]:
    """Everything the page of one task shows.

    Raises:
        NotFound: no such task in this project.
    """
    row = store.one(conn, project_id, ref)
    if row is None:
        raise NotFound("task.not_found", "no such task")
    tries = store.attempts_of(conn, project_id, ref)
    known = store.definition(conn, project_id, row["engine"], row["name"] or "")
    params = [{"name": each[0], "kind": each[1]} for each in known.params or ()] if known else None
    return (
        task_json(row, now_us, args_visible=args_visible)
        | {
            "args": preview(row, "args", visible=args_visible),
            "kwargs": preview(row, "kwargs", visible=args_visible),
            "params": params,
            "result": _result(row, visible=args_visible),
            "error": _error(row, tries, visible=args_visible),
            "definition": {
                "engine": row["engine"],
                "name": row["name"],
                "known": known is not None,
            },
            "attempts": [_attempt(each, visible=args_visible) for each in tries],
            "actions": actions(conn, row, now_us),
            "facts": facts(row),
            "evidence": (row["extra"] or {}).get("evidence") if row["state"] == 4 else None,  # noqa: PLR2004
        }
        | _links(conn, row)
    )


def _result(row: Row, *, visible: bool) -> dict[str, Any] | None:
    return preview(row, "result", visible=visible) if row["result"] is not None else None


def _error(row: Row, tries: list[Row], *, visible: bool) -> dict[str, Any] | None:
    if row["exc_type"] is None:
        return None
    last: Row = next((each for each in reversed(tries) if each["exc_type"]), {})
    text, flags = last.get("traceback"), last.get("traceback_flags") or 0
    frames, chain = frames_of(text) if text and visible else ([], [])
    return {
        "type": row["exc_type"],
        "message": text_preview(row["exc_message"], row["exc_flags"], visible=visible),
        "traceback": text_preview(text, flags, visible=visible),
        "frames": frames,
        "chain": chain,
    }


def _attempt(row: Row, *, visible: bool) -> dict[str, Any]:
    text = row["traceback"]
    return {
        "attempt": row["attempt"],
        "run": row["run"],
        "state": STATES[row["state"]],
        "worker": row["worker"],
        "pid": row["pid"],
        "queued_at": ms(row["due_at"]),
        "received_at": ms(row["received"]),
        "started_at": ms(row["started"]),
        "finished_at": ms(row["finished"]),
        "took_us": row["runtime_us"],
        "exc_type": row["exc_type"],
        "exc_message": row["exc_message"] if visible else None,
        "traceback": _traceback(text, row["traceback_flags"], visible=visible),
        "next_at": ms(row["due_at"]) if STATES[row["state"]] == "retrying" else None,
    }


def _traceback(text: str | None, flags: int, *, visible: bool) -> dict[str, Any] | None:
    if not text:
        return None
    return text_preview(text, flags, visible=visible) if visible else HIDDEN


def _links(conn: Connection, row: Row) -> dict[str, Any]:
    place = (row["project_id"], row["engine"], row["app"])
    wanted = {
        "retry_of": ref_of(*place, row["retry_of"]) if row["retry_of"] else None,
        "retried_as": row["retried_as"],
    }
    refs = [ref for ref in wanted.values() if ref]
    found = {each["ref"]: link(each) for each in store.rows(conn, row["project_id"], refs)}
    children = store.children(conn, row["project_id"], [row["task_id"]], MOST_CHILDREN)
    later = found.get(wanted["retried_as"] or "")
    return {
        "parent": _parent(conn, row),
        "retry_of": found.get(wanted["retry_of"] or ""),
        "retried_as": [later] if later else [],
        "children": [link(each) for each in children],
    }


def _parent(conn: Connection, row: Row) -> dict[str, Any] | None:
    if not row["parent"]:
        return None
    found = store.by_ids(conn, row["project_id"], [row["parent"]], MOST_CHILDREN)
    parent = nearest(row, found)
    return None if parent is None else link(parent)


def actions(conn: Connection, row: Row, now_us: int) -> dict[str, Any]:
    """What can be done to this task now, else why not and what would enable it."""
    offer = offers(conn, row["project_id"]).get((row["engine"], row["app"]))
    found = {}
    for name, action_name in _ACTION_NAMES.items():
        action = ACTIONS[action_name]
        verdict = _of_state(row, action_name, now_us) or can(offer, action.verb)
        found[name] = can_json(verdict)
    return found


def _of_state(row: Row, action_name: str, now_us: int) -> Can | None:
    """Why this task as it stands rules the action out; None when it does not."""
    action = ACTIONS[action_name]
    if action.states and row["state"] not in map(int, action.states):
        word = STATES[row["state"]]
        return Can(False, "task.state_changed", f"not possible while it is {word}")  # noqa: FBT003
    if action.needs_record and (row["replayable_until"] or 0) <= now_us:
        fix = "edit and retry: type the arguments again"
        why = "the app kept no message of this run to send again"
        return Can(False, "replay.missing", why, fix)  # noqa: FBT003
    return None


def facts(row: Row) -> list[dict[str, str]]:
    """Raw facts that have no place of their own."""
    found = [
        {"label": label, "value": str(row[name])} for label, name in _FACTS if row[name] is not None
    ]
    if row["expires"] is not None:
        found.append({"label": "expires", "value": str(ms(row["expires"]))})
    return found
