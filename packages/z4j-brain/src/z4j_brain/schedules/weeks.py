"""How many fires each hour of the coming week has. The rule: one request, and an end to its work.

Rules that give equal slots are walked once. What fires more often than once a minute is counted
from its first hours and said to be about so many; what is left when the work is spent is named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row
from z4j_core.scheduler.interval import Interval
from z4j_core.scheduler.trigger import Trigger
from z4j_core.scheduler.workdays import DaysOff

from ..errors import Invalid
from ..web.ask import Ask
from ..web.route import PROJECT, Table
from . import firerows, previews, query, store, timing
from .previews import local_at
from .written import Json, days_off, text_of

ENDPOINTS = Table()
HOUR_MS = 3_600_000
HOURS = 168
PAGE = 500
SCHEDULES = 20_000
WALKED = 100_000
"""Slots that one request may look for, all schedules together."""
BUILT = 15
"""As many slots is the work of reading a rule."""
EACH = 60 * HOURS
"""Slots of one schedule: more than one a minute are counted from the first of them."""
SHOWN = 200
_DECIDE = ("specs", "exclude", "calendars", "blackouts", "start_at", "end_at")
_FROM_BIRTH = ('"created"', "@every", "fixed_delay")


class Count(NamedTuple):
    """Fires by hour, and whether some are an estimate."""

    by_hour: Mapping[int, int]
    is_about: bool


NOTHING = Count({}, is_about=False)


@dataclass(slots=True)
class Week:
    """The hours from `start_ms`, what is counted of those to come, and the work that is left."""

    start_ms: int
    now_ms: int
    days: Mapping[str, DaysOff]
    left: int = field(default_factory=lambda: WALKED)
    known: dict[tuple[str, int], Count] = field(default_factory=dict)
    hours: list[int] = field(default_factory=lambda: [0] * HOURS)
    schedules: list[int] = field(default_factory=lambda: [0] * HOURS)
    counted: int = 0
    idle: int = 0
    is_about: bool = False

    @property
    def end_ms(self) -> int:
        """The first millisecond behind it."""
        return self.start_ms + HOURS * HOUR_MS

    def add(self, found: Count | None) -> None:
        """Add the fires of a schedule to the week."""
        if found is None:
            return
        self.counted += 1
        self.idle += not found.by_hour
        self.is_about = self.is_about or found.is_about
        for hour, n in found.by_hour.items():
            self.hours[hour] += n
            self.schedules[hour] += 1

    def count(self, conn: Connection, row: Row[Any]) -> Count | None:
        """The fires of a schedule by hour; None when the work is spent."""
        floor = timing.floor_ms(row)
        if floor is None or floor >= self.end_ms:
            return NOTHING
        document: Json = json.loads(row.document)
        most, after = document.get("max_fires"), max(floor, self.now_ms)
        key = _key(row, document), after
        if most is None and key in self.known:
            return self.known[key]
        if self.left <= 0:
            return None
        self.left -= BUILT
        trigger = timing.trigger_of(row, self.days)
        if trigger is None:
            return NOTHING
        if most is not None:
            return self._walk(trigger, after, max(most - firerows.claims(conn, row), 0))
        regular = isinstance(trigger.timing, Interval) and not trigger.blackouts
        found = self._step(trigger, after) if regular else self._walk(trigger, after, EACH + 1)
        self.known[key] = found
        return found

    def _step(self, trigger: Trigger, after: int) -> Count:
        """The fires of an interval, without looking for each of them."""
        assert isinstance(trigger.timing, Interval)
        self.left -= 1
        first, every = trigger.next(after), trigger.timing.every_ms
        last = self.end_ms - 1 if trigger.end_ms is None else min(trigger.end_ms, self.end_ms - 1)
        if first is None or first.at_ms > last:
            return NOTHING
        by_hour: dict[int, int] = {}
        before = 0
        for hour in range(self._hour(first.at_ms), self._hour(last) + 1):
            end = min(self.start_ms + (hour + 1) * HOUR_MS - 1, last)
            upto = (end - first.at_ms) // every + 1
            if upto > before:
                by_hour[hour] = upto - before
            before = upto
        return Count(by_hour, is_about=False)

    def _walk(self, trigger: Trigger, after: int, most: int) -> Count:
        by_hour: dict[int, int] = {}
        found, last, limit = 0, after, min(most, EACH, max(self.left, 1))
        slot = trigger.next(after)
        while slot is not None and slot.at_ms < self.end_ms and found < limit:
            hour = self._hour(slot.at_ms)
            by_hour[hour] = by_hour.get(hour, 0) + 1
            found, last = found + 1, slot.at_ms
            slot = trigger.next(last)
        self.left -= found + 1
        if slot is None or slot.at_ms >= self.end_ms or found >= most:
            return Count(by_hour, is_about=False)
        return Count(self._spread(by_hour, found, after, last), is_about=True)

    def _spread(self, by_hour: dict[int, int], found: int, first: int, last: int) -> dict[int, int]:
        """What was seen until `last`, and as many an hour from there on."""
        per_hour = max(1, round(found * HOUR_MS / max(last - first, 1)))
        reached = self._hour(last)
        seen = {hour: n for hour, n in by_hour.items() if hour < reached}
        return seen | dict.fromkeys(range(reached, HOURS), per_hour)

    def _hour(self, at_ms: int) -> int:
        return (at_ms - self.start_ms) // HOUR_MS


def _key(row: Row[Any], document: Json) -> str:
    """What decides the slots of a row, as text: equal texts are equal slots."""
    said = text_of([document.get(name) for name in _DECIDE])
    if "H" in said:  # hashed by the schedule's id
        said += row.id
    if any(word in said for word in _FROM_BIRTH):
        said += f"{row.created // 1000} {row.last_ended_ms}"
    return said


def rows(conn: Connection, pick: ColumnElement[bool]) -> Iterator[Row[Any]]:
    """The schedules of a query, in the order of their names, read in pages."""
    after: tuple[str, str] | None = None
    read = 0
    while read < SCHEDULES:
        page = store.page(conn, pick, after, PAGE)
        yield from page
        if len(page) < PAGE:
            return
        read += len(page)
        after = (page[-1].name, page[-1].id)


@ENDPOINTS.get(f"{PROJECT}/schedules/week", "schedule.read", query=("q", "tz", "at_s"))
async def week(ask: Ask) -> Json:
    """Fires of each hour of the next 7 days; with `at_s` the schedules of that hour."""
    q, tz, now_ms = ask.text("q"), ask.text("tz") or "UTC", ask.brain.now_us() // 1000
    there = previews.zone_named(tz, "/tz")
    offset_ms = there.offset(now_ms // 1000) * 1000
    start = (now_ms + offset_ms) // HOUR_MS * HOUR_MS - offset_ms
    at = ask.number("at_s", 0, 1 << 40) * 1000
    if at and (not start <= at < start + HOURS * HOUR_MS or (at - start) % HOUR_MS):
        raise Invalid(
            "request.invalid", "at_s is the beginning of an hour of the week", field="at_s"
        )

    def work(conn: Connection) -> Json:
        pick = query.where(ask.project.id, q, sqlite=conn.dialect.name == "sqlite")
        found = Week(start, now_ms, days_off(conn, ask.project.id))
        if at:
            return {"items": _in_hour(conn, pick, found, (at - start) // HOUR_MS)}
        for row in rows(conn, pick):
            found.add(found.count(conn, row))
        hours = [
            {
                "at_ms": start + n * HOUR_MS, "local": local_at(there, start + n * HOUR_MS),
                "fires": found.hours[n], "schedules": found.schedules[n],
            }
            for n in range(HOURS)
        ]  # fmt: skip
        total = store.how_many(conn, pick)
        return {
            "tz": tz, "from_ms": start, "hours": hours, "schedules": found.counted,
            "idle": found.idle, "left_out": total - found.counted, "about": found.is_about,
        }  # fmt: skip

    return await ask.brain.db.read(work)


def _in_hour(conn: Connection, pick: ColumnElement[bool], found: Week, hour: int) -> list[Json]:
    """The schedules that fire in one hour of the week, the busiest first."""
    items: list[Json] = []
    for row in rows(conn, pick):
        count = found.count(conn, row)
        n = 0 if count is None else count.by_hour.get(hour, 0)
        if count is not None and n:
            items.append({"id": row.id, "name": row.name, "fires": n, "about": count.is_about})
    items.sort(key=lambda each: (-each["fires"], each["name"]))
    return items[:SHOWN]
