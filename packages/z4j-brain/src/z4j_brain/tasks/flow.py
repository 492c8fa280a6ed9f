"""The workflow around a task, over all engines. The rule: parents up, children down, both bounded.

Only the app's own processes know that a task was sent while another ran, so an engine that carries
no root itself is followed by its parents; one that does (Celery) also by its root. What was sent as
a group has no parent if no task sent it: its tasks find each other by the group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection

from ..errors import NotFound
from ..web.numbers import ms
from . import store
from .shapes import Row, link

MOST_TASKS = 500
MOST_UP = 64


def flow(conn: Connection, project_id: str, ref: str) -> dict[str, Any]:
    """Tasks and [parent, child] edges around one task.

    Raises:
        NotFound: no such task in this project.
    """
    here = store.one(conn, project_id, ref)
    if here is None:
        raise NotFound("task.not_found", "no such task")
    rows = _gathered(conn, project_id, _line_of(conn, project_id, here))
    return {
        "nodes": [
            link(row) | {"started_at": ms(row["started"]), "finished_at": ms(row["finished"])}
            for row in rows.values()
        ],
        "edges": [[parent, child] for parent, child in _edges(rows.values())],
        "truncated": len(rows) >= MOST_TASKS,
    }


def _edges(rows: Collection[Row]) -> list[tuple[str, str]]:
    """Who sent whom; and of a chord, where one part sent the body, all parts it waited for."""
    by_id: dict[str, list[Row]] = {}
    for row in rows:
        by_id.setdefault(row["task_id"], []).append(row)
    found: list[tuple[str, str]] = []
    parts: list[Row] = []
    bodies: list[Row] = []
    for row in rows:
        parent = nearest(row, by_id.get(row["parent"] or "", ()))
        if parent is not None:
            found.append((parent["ref"], row["ref"]))
        is_body = parent is not None and _group(row) is not None and _group(parent) == _group(row)
        (bodies if is_body else parts).append(row)
    waited = [(part["ref"], body["ref"]) for body in bodies for part in parts
              if _group(part) == _group(body)]  # fmt: skip
    return list(dict.fromkeys(found + waited))


def _group(row: Row) -> tuple[str, str, str] | None:
    group = row["group_id"]
    return None if group is None else (row["engine"], row["app"], group)


def nearest(row: Row, found: Iterable[Row]) -> Row | None:
    """The task meant by an id that `row` names: one of its own broker before one of another."""
    ranked = sorted(
        found,
        key=lambda each: (
            (each["engine"], each["app"]) != (row["engine"], row["app"]),
            each["engine"] != row["engine"],
        ),
    )
    return ranked[0] if ranked else None


def _line_of(conn: Connection, project_id: str, here: Row) -> dict[str, Row]:
    """A task and those it came from, oldest last, by ref."""
    line = {here["ref"]: here}
    row = here
    while row["parent"] and len(line) <= MOST_UP:
        parent = nearest(row, store.by_ids(conn, project_id, [row["parent"]], MOST_UP))
        if parent is None or parent["ref"] in line:
            break
        line[parent["ref"]] = row = parent
    return line


def _gathered(conn: Connection, project_id: str, line: dict[str, Row]) -> dict[str, Row]:
    """The line and all that came of it or belongs to it, level by level."""
    rows: dict[str, Row] = {}
    seen: dict[str, set[str]] = {"root": set(), "group_id": set()}
    level: list[Row] = list(line.values())
    roots = {row["root"] or row["task_id"] for row in level}
    while level and len(rows) < MOST_TASKS:
        new = {row["ref"]: row for row in level if row["ref"] not in rows}
        fresh = list(new.values())[: MOST_TASKS - len(rows)]
        rows |= {row["ref"]: row for row in fresh}
        roots |= _named(fresh, "root") - seen["root"]
        groups = _named(fresh, "group_id") - seen["group_id"]
        seen["root"] |= roots
        seen["group_id"] |= groups
        level = store.by_ids(conn, project_id, sorted(roots), MOST_TASKS)
        level += store.family(conn, project_id, sorted(roots), MOST_TASKS)
        level += store.members(conn, project_id, sorted(groups), MOST_TASKS)
        wanted = sorted({row["task_id"] for row in fresh})
        level += store.children(conn, project_id, wanted, MOST_TASKS)
        roots = set()
    return rows


def _named(rows: Iterable[Row], column: str) -> set[str]:
    return {row[column] for row in rows if row[column] is not None}
