"""Orders that outlive the processes they were sent to: cancels of waiting tasks, pauses of queues.

The rule: only what a sealed row ordered is said again, and only while it is still true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from ..db.rootkeys import RootKeys
from ..tasks.model import ref_of, tasks
from .actions import WAITING
from .model import commands
from .seal import is_sealed

DAY_US = 86_400 * 1_000_000
"""How long a process remembers a cancel of a task it does not hold."""
TARGETS = 200
MAX_TARGETS = 2_000
_MAX_ROWS = 500
_PROCESS = 2
_CARRIED_OUT = ("done", "partial")
_IN_FORCE = ("sent", "accepted", *_CARRIED_OUT)
Offered = tuple[str, str, Mapping[str, int]]
"""(engine, app, verb to scope)"""


class Order(NamedTuple):
    """What a process that comes up is told before it consumes."""

    verb: str
    engine: str
    app: str
    targets: Sequence[str]
    params: Mapping[str, Any]
    actor: Sequence[str]
    reason: str


def orders(
    conn: Connection, roots: RootKeys, project_id: str, offered: Iterable[Offered], now_us: int
) -> list[Order]:
    """What was ordered before and is in force, for a process that offers this."""
    found: list[Order] = []
    for engine, app, verbs in offered:
        place = (project_id, engine, app)
        if verbs.get("cancel", 0) & _PROCESS:
            found += _cancels(conn, roots, place, now_us)
        if "pause" in verbs:
            found += _pauses(conn, roots, place)
    return found


def _cancels(
    conn: Connection, roots: RootKeys, place: tuple[str, str, str], now_us: int
) -> Iterator[Order]:
    left = MAX_TARGETS
    for row in _rows(conn, roots, place, ("cancel",), commands.c.created > now_us - DAY_US):
        waiting = _waiting(conn, place, row["targets"][:left])
        left -= len(row["targets"])
        for start in range(0, len(waiting), TARGETS):
            yield _order(row, "cancel", waiting[start : start + TARGETS], {"scope": _PROCESS})
        if left <= 0:
            return


def _waiting(conn: Connection, place: tuple[str, str, str], ids: Sequence[str]) -> list[str]:
    """Those that have not begun yet; the others have an end, or somebody who was told."""
    states = tuple(int(state) for state in WAITING)
    refs = [ref_of(*place, task_id) for task_id in ids]
    query = select(tasks.c.task_id).where(tasks.c.ref.in_(refs), tasks.c.state.in_(states))
    found = set(conn.execute(query).scalars())
    return [task_id for task_id in ids if task_id in found]


def _pauses(conn: Connection, roots: RootKeys, place: tuple[str, str, str]) -> Iterator[Order]:
    """The newest word about a queue is the one that holds."""
    spoken: set[str] = set()
    for row in _rows(conn, roots, place, ("pause", "resume")):
        if row["verb"] == "pause" and row["state"] not in _CARRIED_OUT:
            continue
        fresh = [queue for queue in row["targets"] if queue not in spoken]
        spoken.update(fresh)
        if fresh and row["verb"] == "pause":
            yield _order(row, "pause", fresh, {"again": True})


def _rows(
    conn: Connection, roots: RootKeys, place: tuple[str, str, str], verbs: Sequence[str],
    *more: ColumnElement[bool],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Sealed commands that were carried out or are on their way, newest first."""
    project_id, engine, app = place
    query = select(commands).where(
        commands.c.project_id == project_id, commands.c.engine == engine, commands.c.app == app,
        commands.c.verb.in_(verbs), commands.c.state.in_(_IN_FORCE), *more,
    ).order_by(commands.c.created.desc(), commands.c.cmd_id.desc()).limit(_MAX_ROWS)  # fmt: skip
    for row in map(dict[str, Any], conn.execute(query).mappings().all()):
        if is_sealed(roots, row):
            yield row


def _order(
    row: Mapping[str, Any], verb: str, targets: Sequence[str], params: Mapping[str, Any]
) -> Order:
    return Order(
        verb, row["engine"], row["app"], targets, params, row["actor"], row["reason"] or ""
    )
