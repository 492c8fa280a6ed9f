"""Calendars over HTTP: named sets of days off. The rule: who uses one gets its change at once."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import Connection
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler import ics as ics_files
from z4j_core.scheduler.document import days_off_json, read_days_off

from ..audit.service import Entry, record
from ..errors import Conflict, NotFound
from ..web.ask import Ask
from ..web.route import PROJECT, Table
from . import service, store
from .api import by_of, told
from .service import By
from .written import Json, definition_of, invalid, text_of, wrong

ENDPOINTS = Table()
CALENDAR = f"{PROJECT}/calendars/{{name}}"
MOST = 200
LONGEST = 200


class CalendarBody(msgspec.Struct, forbid_unknown_fields=True):
    """Days off: dates in ISO 8601, days of the week with Sunday as 0, a file in iCalendar."""

    dates: list[str] = []
    weekend: list[int] = []
    ics: str | None = None


@ENDPOINTS.get(f"{PROJECT}/calendars", "schedule.read")
async def calendars(ask: Ask) -> Json:
    """Calendars of the project."""
    rows = await ask.brain.db.read(store.calendars_of, ask.project.id)
    return {"items": [_json(row) for row in rows]}


@ENDPOINTS.get(CALENDAR, "schedule.read")
async def calendar(ask: Ask) -> Json:
    """One calendar."""
    for row in await ask.brain.db.read(store.calendars_of, ask.project.id):
        if row.name == ask.path("name"):
            return _json(row)
    raise NotFound("not_found", "no such calendar")


def _json(row: Any) -> Json:
    found: Json = json.loads(row.document)
    return {"name": row.name} | found


@ENDPOINTS.put(CALENDAR, "calendar.edit", takes=CalendarBody)
async def put_calendar(ask: Ask) -> Json:
    """Store a calendar under a name; schedules that use it get a new generation."""
    body = await ask.body(CalendarBody)
    name, by = ask.path("name"), by_of(ask)
    if not 1 <= len(name) <= LONGEST or name.strip() != name:
        raise wrong("schedule.name", "/name", "no name of a calendar", f"write 1 to {LONGEST}")
    document = _document(body)

    def work(conn: Connection) -> Json:
        known = {row.name: row for row in store.calendars_of(conn, by.project_id)}
        if name not in known and len(known) >= MOST:
            raise Conflict("calendar.too_many", f"a project has at most {MOST} calendars")
        old = known.get(name)
        if old is not None and old.document == text_of(document):
            return {"name": name} | document
        store.put_calendar(conn, {
            "project_id": by.project_id, "name": name, "document": text_of(document),
            "updated": by.now_us,
        })  # fmt: skip
        users = _renew(conn, by, name)
        _audit(conn, by, "calendar.edit", name, schedules=users)
        return {"name": name} | document

    found = await ask.brain.db.write(work)
    told(ask, "*")
    return found


def _document(body: CalendarBody) -> Json:
    given = {"dates": body.dates, "weekend": body.weekend}
    try:
        days = read_days_off(given)
        found = days_off_json(days)
        if body.ics is not None:
            dates = {day.isoformat() for day in ics_files.dates_of(body.ics)}
            found["dates"] = sorted({*found["dates"], *dates})
    except ScheduleInvalid as error:
        raise invalid(error) from error
    return found


def _renew(conn: Connection, by: By, name: str) -> int:
    """A new generation for every schedule that uses a calendar; how many."""
    users = [
        row
        for row in store.using_calendars(conn, by.project_id)
        if any(each.ref == name for each in definition_of(row).trigger.calendars)
    ]
    for row in users:
        values = {"generation": row.generation + 1, "effective_ms": by.now_ms}
        service.write(conn, by, row, values, [["calendars", name, "its days changed"]])
    return len(users)


@ENDPOINTS.delete(CALENDAR, "calendar.edit", status=204)
async def delete_calendar(ask: Ask) -> None:
    """Take a calendar away that no schedule uses."""
    name, by = ask.path("name"), by_of(ask)

    def work(conn: Connection) -> None:
        used = [
            row.name
            for row in store.using_calendars(conn, by.project_id)
            if any(each.ref == name for each in definition_of(row).trigger.calendars)
        ]
        if used:
            text = f"{len(used)} schedules use it, such as {used[0]!r}"
            raise Conflict("calendar.in_use", text)
        if not store.drop_calendar(conn, by.project_id, name):
            raise NotFound("not_found", "no such calendar")
        _audit(conn, by, "calendar.delete", name)

    await ask.brain.db.write(work)


def _audit(conn: Connection, by: By, action: str, name: str, **detail: Any) -> None:
    record(conn, by.entry_id, by.now_us, Entry(
        action, by.name, by.via, by.project_id, f"calendar {name}", detail=detail or None,
    ))  # fmt: skip
