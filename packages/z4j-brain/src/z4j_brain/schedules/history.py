"""What schedules did: their fires, their days, their revisions. The rule: newest first, by page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.zone import zone

from ..errors import Invalid
from ..web.ask import Ask
from ..web.cursor import seal, unseal
from ..web.route import PROJECT, Table
from . import firequery, firerows, previews, service, shapes, store
from .firerows import STATUSES, TRIGGERS
from .model import fires as table
from .written import Json, definition_of

ENDPOINTS = Table()
SCHEDULE = f"{PROJECT}/schedules/{{id}}"
DEFAULT_LIMIT, MOST = 50, 200
COUNTED = 200_000
REVISIONS = 200
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
_ENDED_BADLY = frozenset({4, 6, 7, 8})
_SENT, _SKIPPED, _MISSED, _EXPIRED, _REFUSED, _FAILED = 3, 4, 5, 6, 7, 8
PAGED = ("q", "status", "trigger", "cursor", "limit")


@ENDPOINTS.get(f"{SCHEDULE}/fires", "schedule.read", query=PAGED)
async def fires(ask: Ask) -> Json:
    """Fires of one schedule, newest slot first."""
    return await _fires(ask, ask.path("id"))


@ENDPOINTS.get(f"{PROJECT}/fires", "schedule.read", query=PAGED)
async def all_fires(ask: Ask) -> Json:
    """Fires of all schedules, newest slot first; `q` as in the bar of their page."""
    return await _fires(ask, None)


async def _fires(ask: Ask, schedule_id: str | None) -> Json:
    limit = max(ask.number("limit", DEFAULT_LIMIT, MOST), 1)
    status, trigger, cursor = ask.text("status"), ask.text("trigger"), ask.text("cursor")
    q, now_us, key = ask.text("q"), ask.brain.now_us(), ask.brain.roots.derive("cursor")
    purpose = f"fires|{ask.project.id}|{schedule_id}|{status}|{trigger}|{q}"
    before = None
    if cursor:
        slot, fire_id = unseal(key, purpose, cursor, 2)
        before = (int(slot), str(fire_id))
    where: list[ColumnElement[bool]] = [
        table.c.project_id == ask.project.id
        if schedule_id is None
        else table.c.schedule_id == schedule_id
    ]
    if status:
        where.append(table.c.status.in_(numbers(status, STATUSES, "status")))
    if trigger:
        where.append(table.c.trigger.in_(numbers(trigger, TRIGGERS, "trigger")))
    if q:
        where.append(firequery.where(q, now_us, sqlite=ask.brain.db.is_sqlite))

    def work(conn: Connection) -> Json:
        if schedule_id is not None:
            service.one(conn, ask.project.id, schedule_id)
        rows = firerows.page(conn, where, before, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        last = seal(key, purpose, [rows[-1].slot_ms, rows[-1].fire_id]) if more else None
        items = [shapes.fire_json(row, named=schedule_id is None) for row in rows]
        return {"items": items, "next": last}

    return await ask.brain.db.read(work)


def numbers(text: str, names: tuple[str, ...], field: str) -> list[int]:
    """The numbers of words joined by commas.

    Raises:
        Invalid: one of them is no such word.
    """
    found = []
    for word in text.split(","):
        if not word or word not in names:
            known = ", ".join(names[1:])
            raise Invalid("request.invalid", f"{field} is one of {known}", field=field)
        found.append(names.index(word))
    return found


@ENDPOINTS.get(f"{SCHEDULE}/days", "schedule.read", query=("year",))
async def days(ask: Ask) -> Json:
    """How the days of a year went, in the schedule's own zone."""
    now = datetime.fromtimestamp(ask.brain.now_us() / 1e6, UTC)
    year = min(max(ask.number("year", now.year, _LAST_YEAR), _FIRST_YEAR), _LAST_YEAR)

    def work(conn: Connection) -> Json:
        row = service.one(conn, ask.project.id, ask.path("id"))
        definition = definition_of(row)
        from_ms, to_ms = _year(previews.tz_of(definition), year)
        late_ms = definition.rules.grace_s * 1000
        return {"days": _days(conn, row.id, from_ms, to_ms, late_ms)}

    return await ask.brain.db.read(work)


def _year(tz: str, year: int) -> tuple[int, int]:
    try:
        there = zone(tz)
    except ScheduleInvalid:
        there = zone("UTC")
    starts = (int(datetime(each, 1, 1, tzinfo=UTC).timestamp()) for each in (year, year + 1))
    first, last = ((at - there.offset(at)) * 1000 for at in starts)
    return first, last


def _days(conn: Connection, schedule_id: str, from_ms: int, to_ms: int, late_ms: int) -> list[Json]:
    found: dict[str, Json] = {}
    for row in firerows.days(conn, schedule_id, from_ms, to_ms, COUNTED):
        day = row.slot_local[:10] or _utc_day(row.slot_ms)
        blank = {"day": day, "fires": 0, "failed": 0, "missed": 0, "skipped": 0, "late": 0}
        counts = found.setdefault(day, blank)
        _count(counts, row, late_ms)
    return [found[day] for day in sorted(found)]


def _count(counts: Json, row: Any, late_ms: int) -> None:
    if row.status in (_MISSED, _EXPIRED):
        counts["missed"] += row.count
    elif row.status == _SKIPPED:
        counts["skipped"] += 1
    elif row.status <= _SENT:
        counts["fires"] += 1
        counts["late"] += row.lag_ms > late_ms
        counts["failed"] += row.state in _ENDED_BADLY
    elif row.status in (_REFUSED, _FAILED):
        counts["failed"] += 1


def _utc_day(slot_ms: int) -> str:
    return datetime.fromtimestamp(slot_ms / 1000, UTC).date().isoformat()


@ENDPOINTS.get(f"{SCHEDULE}/revisions", "schedule.read")
async def revisions(ask: Ask) -> Json:
    """Edits of a schedule, newest first."""

    def work(conn: Connection) -> Json:
        row = service.one(conn, ask.project.id, ask.path("id"))
        rows = store.revisions(conn, row.id, REVISIONS)
        visible = ask.args_visible
        return {"items": [shapes.revision_json(each, args_visible=visible) for each in rows]}

    return await ask.brain.db.read(work)
