"""The workflow around a task, over all engines. The rule: parents up, children down, both bounded.

Only the app's own processes know that a task was sent while another ran, so an engine that carries
no root itself is followed by its parents; one that does (Celery) also by its root.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    by_id: dict[str, list[Row]] = {}
    for row in rows.values():
        by_id.setdefault(row["task_id"], []).append(row)
    parents = ((nearest(row, by_id.get(row["parent"] or "", ())), row) for row in rows.values())
    return {
        "nodes": [
            link(row) | {"started_at": ms(row["started"]), "finished_at": ms(row["finished"])}
            for row in rows.values()
        ],
        "edges": [[parent["ref"], row["ref"]] for parent, row in parents if parent is not None],
        "truncated": len(rows) >= MOST_TASKS,
    }


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
    """The line and all that came of it, level by level."""
    rows = dict(line)
    roots = {row["root"] or row["task_id"] for row in line.values()}
    level = store.by_ids(conn, project_id, sorted(roots), MOST_TASKS)
    level += store.family(conn, project_id, sorted(roots), MOST_TASKS)
    wanted = {row["task_id"] for row in line.values()}
    while (level or wanted) and len(rows) < MOST_TASKS:
        fresh = [row for row in level if row["ref"] not in rows][: MOST_TASKS - len(rows)]
        rows |= {row["ref"]: row for row in fresh}
        wanted |= {row["task_id"] for row in fresh}
        if not wanted:
            break
        level = store.children(conn, project_id, sorted(wanted), MOST_TASKS)
        wanted = set()
    return rows
