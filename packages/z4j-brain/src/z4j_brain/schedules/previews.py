"""A schedule before it is saved. The rule: the code that leads shows what it would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from z4j_core.errors import ScheduleInvalid
from z4j_core.model.commands import Level
from z4j_core.scheduler.build import Context, build, zone_of
from z4j_core.scheduler.document import Definition
from z4j_core.scheduler.policy import Cursor, Decision, Schedule, plan
from z4j_core.scheduler.read import text as read_text
from z4j_core.scheduler.slots import Slot
from z4j_core.scheduler.trigger import Trigger
from z4j_core.scheduler.zone import Zone, zone

from ..agents.offers import offers
from . import level, store, warnings
from .store import Place
from .written import Json, days_off, invalid, read, wrong

MOST = 50
FIRST = 10
SHOWN = 1_000
NIL = "00000000-0000-7000-8000-000000000000"
_ASKED = ("engine", "app", "id", "viewer_tz", "n", "outage", "enabled", "owner")
_BLANK = {"name": "unnamed", "task": "unnamed"}


def preview(conn: Connection, project_id: str, body: Json, now_us: int) -> Json:
    """What a definition would do, and what is odd about it.

    Raises:
        Invalid: with the pointer of the field that is wrong.
    """
    now_ms = now_us // 1000
    definition = read(_BLANK | {k: v for k, v in body.items() if k not in _ASKED and v is not None})
    there = zone_named(body.get("viewer_tz") or "UTC", "/viewer_tz")
    context = _context(conn, project_id, body, now_ms)
    try:
        trigger = build(definition.trigger, context)
    except ScheduleInvalid as error:
        raise invalid(error) from error
    place = _place(conn, project_id, body)
    offer = offers(conn, project_id).get((place.engine, place.app)) if place else None
    found: list[Json] = []
    if place is not None and body.get("task"):
        found = warnings.of(conn, place, definition, context, offer, now_us)
    else:
        found = warnings.slots(definition, context, now_ms)
    needs = level.needs(definition.json(), level.registered(conn, project_id))
    ok = offer is None or offer.level >= needs
    if not ok:
        text = "the app's policy does not let it fire: its arguments are not declared there"
        found.append(warnings.warn("policy.args_not_registered", text))
    shown = _number(body.get("n"))
    return {
        "words": trigger.explain(),
        "next": _next(trigger, definition, context.schedule_id, there, now_ms, shown),
        "warnings": found,
        "catchup": _catchup(definition, context, body.get("outage")),
        "level": {
            "needs": needs.name.lower(), "ok": ok,
            "fix": None if ok else level.FIX if needs is Level.RUN else "set Z4J_ALLOW=control",
        },
    }  # fmt: skip


def _context(conn: Connection, project_id: str, body: Json, now_ms: int) -> Context:
    """An existing schedule keeps its id and its time of birth: H and intervals stand on them."""
    row = store.one(conn, project_id, str(body.get("id") or ""))
    days = days_off(conn, project_id)
    if row is None:
        return Context(NIL, now_ms, days)
    return Context(row.id, row.created // 1000, days, row.last_ended_ms)


def _place(conn: Connection, project_id: str, body: Json) -> Place | None:
    engine, app = body.get("engine"), body.get("app")
    if isinstance(engine, str) and isinstance(app, str):
        return Place(project_id, engine, app)
    row = store.one(conn, project_id, str(body.get("id") or ""))
    return None if row is None else store.place_of(row)


def zone_named(key: Any, pointer: str) -> Zone:
    """The zone somebody looks from.

    Raises:
        Invalid: there is none of this name.
    """
    try:
        return zone(read_text(64)(key))
    except ScheduleInvalid as error:
        raise invalid(error.under(pointer)) from error


def _number(value: Any) -> int:
    if value is None:
        return FIRST
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise wrong("schedule.bounds", "/n", f"n is 0 to {MOST}", f"write 0 to {MOST}")
    return value


def _next(
    trigger: Trigger, definition: Definition, schedule_id: str, there: Zone, now_ms: int, most: int
) -> list[Json]:
    """The next slots, with where they are in the schedule's zone and in the viewer's."""
    found: list[Json] = []
    limit = definition.trigger.max_fires
    most = most if limit is None else min(most, limit)
    zones = zones_of(definition)
    slot = trigger.next(now_ms)
    while slot is not None and len(found) < most:
        found.append({
            "slot_ms": slot.at_ms, "local": slot.local, "fold": slot.fold, "note": slot.note,
            "viewer_local": local_at(there, slot.at_ms),
            "due_ms": trigger.due_ms(slot, schedule_id), "tz": _tz_at(zones, slot),
        })  # fmt: skip
        slot = trigger.next(slot.at_ms)
    return found


def tz_of(definition: Definition) -> str:
    """The zone the schedule's slots are written in: that of its first rule that has one."""
    for spec in definition.trigger.specs:
        document = spec.json()
        if isinstance(document.get("tz"), str):
            return str(document["tz"])
    return "UTC"


def zones_of(definition: Definition) -> list[Zone]:
    """The zones on whose walls its rules are written, each once, in their order."""
    found = {each.key: each for each in map(zone_of, definition.trigger.specs)}
    return list(found.values())


def _tz_at(zones: Sequence[Zone], slot: Slot) -> str:
    """The zone on whose wall a slot was written: of several, the first that shows its time."""
    wall = slot.local[:19]
    shown = [each.key for each in zones if local_at(each, slot.at_ms)[:19] == wall]
    return next(iter(shown), zones[0].key)


def local_at(there: Zone, at_ms: int) -> str:
    """An instant as a clock on that wall shows it."""
    at_s = at_ms // 1000
    return datetime.fromtimestamp(at_s + there.offset(at_s), UTC).replace(tzinfo=None).isoformat()


def _catchup(definition: Definition, context: Context, outage: Any) -> Json | None:
    """What would become of slots while nobody looked from one time to another.

    A schedule that is not saved was made, for this, when the outage began.
    """
    if outage is None:
        return None
    start, end = span(outage, "/outage")
    if context.schedule_id == NIL:
        context = replace(context, created_ms=start)
    trigger = build(definition.trigger, context)
    subject = Schedule(
        context.schedule_id, trigger, definition.rules, effective_ms=start,
        max_fires=definition.trigger.max_fires,
    )  # fmt: skip
    said = plan(Cursor(slot_ms=start), end, subject)
    fired = [each.slot.at_ms for each in said if each.action in ("fire", "buffer") and each.slot]
    lost = sum(_lost(each) for each in said)
    slots = trigger.between(start, end, 10_001)
    return {
        "missed": min(len(slots), 10_000), "more": len(slots) > 10_000,  # noqa: PLR2004 - as plan counts
        "fires": fired[:SHOWN], "lost": lost,
    }  # fmt: skip


def _lost(said: Decision) -> int:
    if said.action == "missed":
        return said.slots
    return 1 if said.action in ("skip", "expire") else 0


def span(value: Any, pointer: str) -> tuple[int, int]:
    """A stretch of time as (from, to) in milliseconds.

    Raises:
        Invalid: it has no two times, or ends before it begins.
    """
    hint = "write from_ms and to_ms, the later one last"
    if not isinstance(value, dict):
        raise wrong("schedule.bounds", pointer, "no stretch of time", hint)
    start, end = value.get("from_ms"), value.get("to_ms")
    for name, each in (("from_ms", start), ("to_ms", end)):
        if isinstance(each, bool) or not isinstance(each, int) or abs(each) > 1 << 45:
            raise wrong("schedule.bounds", f"{pointer}/{name}", "no time", hint)
    assert isinstance(start, int)
    assert isinstance(end, int)
    if start >= end:
        raise wrong("schedule.bounds", f"{pointer}/to_ms", "it ends before it begins", hint)
    return start, end
