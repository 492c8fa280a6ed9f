"""Lines of the ledger of fires are stored. The rule: in the transaction of their tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Connection

from ..schedules import autopause, leases, runs, told
from ..schedules.groups import Place
from .items import Fire


def line_of(item: Fire) -> told.Line:
    """An item with its ids as text."""
    return told.Line(
        item.at, item.engine, item.app, str(UUID(bytes=item.schedule)), item.generation, item.slot,
        item.nonce or "", str(UUID(bytes=item.fire_id)), item.status, item.trigger, item.epoch,
        item.revision, item.due, item.lag_ms, item.enq, item.count, item.slot_local, item.fold,
        item.reason, item.actor,
    )  # fmt: skip


def _led(conn: Connection, project_id: str, items: Sequence[tuple[Fire, str]], now_us: int) -> None:
    """Who fires under the newest epoch leads the group; fires by command have none."""
    newest: dict[Place, tuple[int, str]] = {}
    for item, stream in items:
        place = Place(project_id, item.engine, item.app)
        if item.epoch:
            newest[place] = max(newest.get(place, (0, "")), (item.epoch, stream))
    for place, (epoch, stream) in newest.items():
        leases.led_by(conn, place, stream, epoch, now_us)


def store_fires(
    conn: Connection,
    project_id: str,
    items: Sequence[tuple[Fire, str]],
    task_ids: Iterable[str],
    now_us: int,
) -> tuple[set[str], set[str]]:
    """Store fires and join them with their tasks; returns schedules and task refs that changed."""
    if items:
        _led(conn, project_id, items, now_us)
    return store_lines(conn, project_id, [line_of(item) for item, _ in items], task_ids, now_us)


def store_lines(
    conn: Connection,
    project_id: str,
    lines: Sequence[told.Line],
    task_ids: Iterable[str],
    now_us: int,
) -> tuple[set[str], set[str]]:
    """The same for lines whose ids are text."""
    found = told.tell(conn, project_id, lines) if lines else told.Told()
    fire_ids = found.fires | runs.fires_among(task_ids)
    if not fire_ids:
        return set(), set()
    touched, linked = runs.settle(conn, project_id, fire_ids)
    for schedule_id, reason in sorted(found.paused.items()):
        autopause.pause(conn, project_id, schedule_id, reason, now_us)
    return found.schedules | touched, linked
