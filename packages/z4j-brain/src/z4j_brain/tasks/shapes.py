"""Rows as the API shows them. The rule: what a viewer may not see is absent, never empty text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..search.keys import STATES
from ..web.numbers import ms
from .model import ref_of

Row = Mapping[str, Any]
HIDDEN = {"hidden": True}
CUT = 60
_FLAGS = {
    1: "redelivered",
    2: "idempotent",
    4: "dead_lettered",
    8: "eager",
    16: "sampled",
    32: "inferred",
}


def state_name(number: int) -> str:
    """The word for a state's number."""
    return STATES[number]


def task_json(row: Row, now_us: int, *, args_visible: bool) -> dict[str, Any]:
    """A row of the list."""
    place = (row["project_id"], row["engine"], row["app"])
    left = row["tries_left"]
    return {
        "ref": row["ref"],
        "engine": row["engine"],
        "app": row["app"],
        "id": row["task_id"],
        "task": row["name"],
        "state": STATES[row["state"]],
        "queue": row["queue"],
        "worker": row["worker"],
        "attempt": row["attempt"],
        "max_attempts": None if left is None else row["attempt"] + left,
        "headline": headline(row["args"], row["kwargs"]) if args_visible else "",
        "enqueued_at": ms(row["enqueued"]),
        "started_at": ms(row["started"]),
        "finished_at": ms(row["finished"]),
        "eta_at": ms(row["eta"]),
        "at": ms(row["at"]),
        "wait_us": row["wait_us"],
        "took_us": row["runtime_us"],
        "exc_type": row["exc_type"],
        "exc_message": (row["exc_message"] or "")[:200] or None if args_visible else None,
        "replayable": (row["replayable_until"] or 0) > now_us,
        "retry_of": ref_of(*place, row["retry_of"]) if row["retry_of"] else None,
        "priority": row["priority"],
        "host": row["host"],
        "release": row["release"],
        "environment": row["environment"],
        "tags": row["tags"] or {},
        "root": row["root"],
        "parent": row["parent"],
        "flags": [name for bit, name in _FLAGS.items() if row["flags"] & bit],
        "v": row["v"],
    }


def headline(args: str | None, kwargs: str | None) -> str:
    """The first two arguments as short text."""
    shown = [_short(value) for value in _list(args)[:2]]
    if len(shown) < 2:  # noqa: PLR2004 - two arguments
        named = list(_dict(kwargs).items())[: 2 - len(shown)]
        shown += [f"{name}={_short(value)}" for name, value in named]
    return " ".join(shown)


def _list(text: str | None) -> list[Any]:
    found = _json(text)
    return found if isinstance(found, list) else []


def _dict(text: str | None) -> dict[str, Any]:
    found = _json(text)
    return found if isinstance(found, dict) else {}


def _json(text: str | None) -> Any:
    """Numbers stay as written: a float would change them."""
    if not text:
        return None
    try:
        return json.loads(text, parse_int=_Digits, parse_float=_Digits)
    except (ValueError, RecursionError):
        return None


class _Digits(str):
    """A number as it was written."""

    __slots__ = ()


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= CUT else text[: CUT - 1] + "…"


def preview(row: Row, name: str, *, visible: bool) -> dict[str, Any]:
    """A bounded text with its flags and original size."""
    if not visible:
        return HIDDEN
    text = row[name] or ""
    size = row.get(f"{name}_size")
    flags = row.get(f"{name}_flags") or 0
    return {"flags": flags, "size": size if size is not None else len(text), "text": text}


def text_preview(text: str | None, flags: int, *, visible: bool) -> dict[str, Any]:
    """A bounded text that has no size of its own, such as a message."""
    if not visible:
        return HIDDEN
    return {"flags": flags or 0, "size": len(text or ""), "text": text or ""}


def link(row: Row) -> dict[str, Any]:
    """A task as others refer to it."""
    return {
        "ref": row["ref"],
        "id": row["task_id"],
        "task": row["name"],
        "engine": row["engine"],
        "state": STATES[row["state"]],
    }
