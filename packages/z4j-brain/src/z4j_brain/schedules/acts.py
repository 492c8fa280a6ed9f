"""Fires ordered over HTTP: now, again, and those of the past. The rule: one act, one audit row."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection
from z4j_core.scheduler.fires import backfill_id

from ..commands import slots as bulk
from ..commands.service import Who
from ..errors import NotFound
from ..web.ask import Ask
from ..web.route import Table
from . import firerows, orders, previews, service, store, timing
from .api import SCHEDULE, by_of
from .orders import Fire
from .written import Json, days_off, wrong

ENDPOINTS = Table()
MOST, SHOWN = 10_000, 1_000
PER_SECOND = 10


class FireBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why it shall fire now."""

    reason: str = ""


class ReplayBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which fire shall be done again, as the schedule is now or as it was then."""

    fire_id: str
    definition: Literal["current", "then"] = "current"
    reason: str = ""


class BackfillBody(msgspec.Struct, forbid_unknown_fields=True):
    """Slots of which time (milliseconds) shall fire; `buffer_all` is one after the other."""

    from_ms: int
    to_ms: int
    overlap: Literal["allow", "buffer_all"] = "allow"
    max: int = MOST
    dry_run: bool = True
    reason: str = ""


@ENDPOINTS.post(f"{SCHEDULE}/fire", "schedule.fire", takes=FireBody, status=202)
async def fire(ask: Ask) -> Json:
    """Fire once, now."""
    body = await ask.body(FireBody)
    by, nonce, cmd_id = by_of(ask), ask.brain.new_id(), ask.brain.new_id()

    def work(conn: Connection) -> Json:
        row = service.one(conn, ask.project.id, ask.path("id"))
        made = orders.by_hand(row, by, nonce)
        orders.order(conn, ask.brain.roots, made, by, cmd_id, body.reason)
        service.audit(conn, by, "schedule.fire", row, reason=body.reason, fire=made.id)
        return {"fire_id": made.id, "command": cmd_id}

    return await sent(ask, work)


@ENDPOINTS.post(f"{SCHEDULE}/replay", "schedule.replay", takes=ReplayBody, status=202)
async def replay(ask: Ask) -> Json:
    """Do one fire of before once more."""
    body = await ask.body(ReplayBody)
    by, nonce, cmd_id = by_of(ask), ask.brain.new_id(), ask.brain.new_id()

    def work(conn: Connection) -> Json:
        row = service.one(conn, ask.project.id, ask.path("id"))
        told = firerows.one(conn, row.id, body.fire_id)
        if told is None:
            raise NotFound("not_found", "no such fire")
        made: Fire = orders.again(conn, row, told, body.definition, by, nonce)
        orders.order(conn, ask.brain.roots, made, by, cmd_id, body.reason)
        service.audit(
            conn, by, "schedule.replay", row, reason=body.reason, fire=made.id, of=body.fire_id,
            definition=body.definition,
        )  # fmt: skip
        return {"fire_id": made.id, "command": cmd_id}

    return await sent(ask, work)


async def sent(ask: Ask, work: Any) -> Json:
    """Do it, and let the gateway look."""
    found: Json = await ask.brain.db.write(work)
    ask.brain.wake()
    return found


@ENDPOINTS.post(f"{SCHEDULE}/backfill", "schedule.backfill", takes=BackfillBody)
async def backfill(ask: Ask) -> Json:
    """Which slots of a stretch of time would fire, and without `dry_run` let them, 10 a second."""
    body = await ask.body(BackfillBody)
    if not 1 <= body.max <= MOST:
        raise wrong("schedule.bounds", "/max", f"max is 1 to {MOST}", "name fewer slots")
    start, end = previews.span({"from_ms": body.from_ms, "to_ms": body.to_ms}, "")
    by, bulk_id = by_of(ask), ask.brain.new_id()
    if end > by.now_ms:
        raise wrong("schedule.bounds", "/to_ms", "this is in the future", "end it now at latest")

    def work(conn: Connection) -> Json:
        row = service.one(conn, ask.project.id, ask.path("id"))
        trigger = timing.trigger_of(row, days_off(conn, row.project_id))
        slots = [] if trigger is None else trigger.between(start - 1, end, body.max + 1)
        more, slots = len(slots) > body.max, slots[: body.max]
        found = {
            "backfill_id": None if body.dry_run else bulk_id, "total": len(slots), "more": more,
            "slots": [slot.at_ms for slot in slots[:SHOWN]],
        }  # fmt: skip
        if body.dry_run or not slots:
            return found
        orders.able(conn, row)
        wanted = [bulk.Slot(slot.at_ms, backfill_id(row.id, bulk_id, slot.at_ms)) for slot in slots]
        params = {
            "schedule": row.id, "name": row.name, "from_ms": start, "to_ms": end,
            "overlap": body.overlap,
        }  # fmt: skip
        made = bulk.Fires(bulk_id, store.place_of(row), params, wanted, PER_SECOND)
        bulk.begin(conn, made, Who(id=by.user_id, name=by.name, via=by.via), body.reason, by.now_us)
        service.audit(
            conn, by, "schedule.backfill", row, reason=body.reason, from_ms=start, to_ms=end,
            slots=len(slots), backfill=bulk_id,
        )  # fmt: skip
        return found

    found = await ask.brain.db.write(work)
    ask.brain.nudge()
    return found
