"""Old fires go: never the newest thousand of a schedule, never those of the last days."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, insert, select
from z4j_brain.schedules import retention
from z4j_brain.schedules.model import fires
from z4j_brain.schedules.retention import DAY_MS, KEPT, Retention

from .conftest import PLACE, POLL

DAYS = 30


@pytest.fixture
def poll(desk):
    return desk.add(**POLL)


def tell(desk, schedule_id, ages_days, generation=1):
    """Fires of these ages, each in a slot of its own."""
    now_ms = desk.world.clock.us // 1000
    rows = [
        PLACE | {
            "schedule_id": schedule_id, "generation": generation, "nonce": "", "status": 3,
            "slot_ms": now_ms - round(age * DAY_MS) - n, "trigger": 1,
            "fire_id": f"{schedule_id}-{generation}-{n}-{age}", "project_id": desk.world.shop,
        }
        for n, age in enumerate(ages_days)
    ]  # fmt: skip
    with desk.world.brain.db.writing() as conn:
        conn.execute(insert(fires), rows)


def left(desk, schedule_id):
    with desk.world.brain.db.reading() as conn:
        query = select(func.count()).where(fires.c.schedule_id == schedule_id)
        return conn.execute(query).scalar_one()


def swept(desk):
    brain = desk.world.brain
    return asyncio.run(Retention(brain.db, brain.now_us, DAYS).once())


def test_of_a_busy_schedule_all_fires_of_the_last_days_stay_and_older_ones_go(desk, poll):
    tell(desk, poll["id"], [1] * (KEPT + 500) + [31] * 2_500)

    gone = swept(desk)

    assert gone == 2_500
    assert left(desk, poll["id"]) == KEPT + 500


def test_of_a_quiet_schedule_the_newest_thousand_stay_however_old(desk, poll):
    tell(desk, poll["id"], [40] * (KEPT + 7))

    assert swept(desk) == 7
    assert left(desk, poll["id"]) == KEPT
    assert swept(desk) == 0


def test_fires_of_a_schedule_that_was_deleted_go_when_they_are_old(desk):
    tell(desk, "0197c0de-0000-7000-8000-000000000001", [1, 29, 31, 90])

    assert swept(desk) == 2


def test_what_is_limited_to_a_number_of_fires_keeps_those_that_count(desk):
    limited = desk.add(**POLL | {"max_fires": 5_000})
    tell(desk, limited["id"], [40] * (KEPT + 300))
    tell(desk, limited["id"], [50] * 20, generation=0)

    assert swept(desk) == 20


def test_a_turn_is_bounded_and_every_schedule_gets_its_own(desk, poll, monkeypatch):
    monkeypatch.setattr(retention, "KEPT", 2)
    monkeypatch.setattr(retention, "ROWS", 3)
    monkeypatch.setattr(retention, "SCHEDULES", 1)
    other = desk.add(**POLL | {"name": "other"})
    for each in (poll, other):
        tell(desk, each["id"], [40] * 10)
    cutoff = desk.world.clock.us // 1000 - DAYS * DAY_MS

    with desk.world.brain.db.writing() as conn:
        first = retention.sweep(conn, "", cutoff)
    swept(desk)

    assert first == ("", 3)
    assert (left(desk, poll["id"]), left(desk, other["id"])) == (2, 2)
