"""When nothing fires: calendars with what they stop, and the windows of schedules.

The rule: what a day off stops is computed by the trigger without its calendars.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row
from z4j_core.errors import ScheduleInvalid
from z4j_core.scheduler.build import Context, build, instant_of, timing_of, zone_of
from z4j_core.scheduler.document import Definition
from z4j_core.scheduler.interval import wall_slot
from z4j_core.scheduler.slots import wall_seconds
from z4j_core.scheduler.spec import BlackoutSpec, CalendarRef, TriggerSpec
from z4j_core.scheduler.workdays import DaysOff
from z4j_core.scheduler.zone import Zone

from ..web.ask import Ask
from ..web.numbers import ms
from ..web.route import PROJECT, Table
from . import store
from .written import Json, context_of, days_off, definition_of

ENDPOINTS = Table()
USERS, HITS, WINDOWS = 50, 3, 200
AHEAD_DAYS = 400
A_DAY = 1_441
"""Slots of one day that are counted: one more is more often than every minute."""


@ENDPOINTS.get(f"{PROJECT}/schedules/calendars", "schedule.read")
async def closings(ask: Ask) -> Json:
    """Calendars, which schedules use each, what their days stop next; and windows of schedules."""
    now_ms = ask.brain.now_us() // 1000

    def work(conn: Connection) -> Json:
        days = days_off(conn, ask.project.id)
        rows = store.with_closings(conn, ask.project.id)
        read = [(row, definition_of(row)) for row in rows]
        items = [
            _calendar(each, days[each.name], read, now_ms)
            for each in store.calendars_of(conn, ask.project.id)
        ]
        windows = [one for row, what in read for one in _windows(row, what, days, now_ms)]
        windows.sort(key=lambda each: (each["from_ms"] is None, each["from_ms"], each["name"]))
        return {
            "items": items,
            "windows": windows[:WINDOWS],
            "more_windows": len(windows) > WINDOWS,
        }

    return await ask.brain.db.read(work)


def _calendar(
    row: Row[Any], days: DaysOff, read: Sequence[tuple[Row[Any], Definition]], now_ms: int
) -> Json:
    users = [
        (each, what, ref)
        for each, what in read
        for ref in what.trigger.calendars
        if ref.ref == row.name
    ]
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date() - timedelta(days=1)
    coming = sorted(day for day in days.dates if day >= today)
    found: Json = json.loads(row.document)
    return {"name": row.name, "updated": ms(row.updated)} | found | {
        "past": len(days.dates) - len(coming),
        "used_by": [_user(each, what, ref, days, now_ms) for each, what, ref in users[:USERS]],
        "users": len(users),
    }  # fmt: skip


def _user(
    row: Row[Any], definition: Definition, ref: CalendarRef, days: DaysOff, now_ms: int
) -> Json:
    hits: list[Json] = []
    if row.enabled:
        hits = hits_of(definition.trigger, context_of(row, {}), days, now_ms)
    return {
        "id": row.id, "name": row.name, "enabled": row.enabled, "on_hit": ref.on_hit, "hits": hits,
    }  # fmt: skip


def hits_of(spec: TriggerSpec, context: Context, days: DaysOff, now_ms: int) -> list[Json]:
    """The next days off on which a schedule would have fired, and how often."""
    try:
        trigger = build(replace(spec, calendars=()), context)
        there = zone_of(spec.specs[0])
    except ScheduleInvalid:
        return []
    found: list[Json] = []
    for day in _coming(days, there, now_ms):
        start, end = _midnight(day, there), _midnight(day + timedelta(days=1), there)
        slots = trigger.between(max(start, now_ms) - 1, end - 1, A_DAY)
        if slots:
            found.append({
                "day": day.isoformat(), "slot_ms": slots[0].at_ms, "local": slots[0].local,
                "slots": len(slots), "more": len(slots) == A_DAY,
            })  # fmt: skip
        if len(found) == HITS:
            break
    return found


def _coming(days: DaysOff, there: Zone, now_ms: int) -> Iterator[date]:
    at_s = now_ms // 1000
    today = datetime.fromtimestamp(at_s + there.offset(at_s), UTC).date()
    return (
        day for n in range(AHEAD_DAYS) if (day := today + timedelta(days=n)) in days
    )  # fmt: skip


def _midnight(day: date, there: Zone) -> int:
    """The first instant of a date, or of the first one behind it that exists."""
    for n in range(3):
        local = wall_seconds(datetime.combine(day + timedelta(days=n), datetime.min.time()))
        if (slot := wall_slot(local, there)) is not None:
            return slot.at_ms
    return wall_seconds(datetime.combine(day, datetime.min.time())) * 1000


def _windows(
    row: Row[Any], definition: Definition, days: Mapping[str, DaysOff], now_ms: int
) -> Iterator[Json]:
    """The windows of a schedule that are not over, each with when it is open next."""
    for spec in definition.trigger.blackouts:
        try:
            opened = _open(spec, context_of(row, days), now_ms)
        except ScheduleInvalid:
            opened = None
        if opened is None and spec.cron is None:
            continue
        start, end = opened or (None, None)
        yield {
            "id": row.id, "name": row.name, "enabled": row.enabled, "action": spec.action,
            "from_ms": start, "to_ms": end, "window": spec.json(),
        }  # fmt: skip


def _open(spec: BlackoutSpec, context: Context, now_ms: int) -> tuple[int, int] | None:
    """From when until when a window is open, now or next."""
    if spec.cron is not None:
        opens, length = timing_of(spec.cron, context), spec.duration_s * 1000
        last = opens.prev(now_ms + 1)
        slot = last if last is not None and last.at_ms + length > now_ms else opens.next(now_ms)
        return None if slot is None else (slot.at_ms, slot.at_ms + length)
    assert spec.start is not None
    assert spec.end is not None
    start, end = instant_of(spec.start, "/start"), instant_of(spec.end, "/end")
    return (start, end) if end > now_ms else None
