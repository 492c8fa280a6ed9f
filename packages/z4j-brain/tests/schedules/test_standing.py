"""Counts of all schedules by their trouble: each opens the list that it counts."""

from __future__ import annotations

import pytest

from .conftest import POLL
from .test_fires import MISSED, SENT, Ledger
from .test_silence import look

TROUBLES = ("silent", "failing", "paused", "missed", "late")
MANY = 230


@pytest.fixture
def ledger(world):
    return Ledger(world)


def named(desk, name, **more):
    return desk.add(**POLL | {"name": name} | more)


def hung_up(desk, count, **more):
    """So many schedules at once, as a file declares them."""
    document = {name: value for name, value in (POLL | more).items() if name != "name"}
    body = {"tag": "many", "schedules": {f"a poll {at:03}": document for at in range(count)}}
    answer = desk.post("schedules/apply", body)
    assert answer.status_code == 200, answer.text


def counts(desk):
    found = desk.get("schedules/standing")
    return {name: found[name]["value"] for name in TROUBLES if found[name]["value"]}


def test_each_trouble_counts_what_its_list_holds(desk, ledger):
    desk.connect()
    missed, late, good = (named(desk, name) for name in ("missed", "late", "good"))
    paused = named(desk, "paused")
    desk.post(f"schedules/{paused['id']}/pause")
    slot = good["next_slot_ms"]
    desk.world.clock.advance(120)
    ledger.tell(
        ledger.fire(missed, slot, MISSED),
        ledger.fire(late, slot, SENT, lag_ms=60_001),
        ledger.fire(good, slot, SENT, lag_ms=60_000),
    )

    found = desk.get("schedules/standing")

    assert counts(desk) == {"paused": 1, "missed": 1, "late": 1}
    assert (found["total"]["value"], found["missed"]["q"]) == (4, "is:missed")
    for name in TROUBLES:
        listed = desk.get("schedules", q=found[name]["q"])
        assert listed["total"] == found[name]["value"]
        assert {each["name"] for each in listed["items"]} <= {name}


def test_what_counts_is_the_newest_slot_and_the_grace_of_each_schedule(desk, ledger):
    patient = named(desk, "patient", grace_s=90)
    again = named(desk, "again")
    slot = again["next_slot_ms"]
    desk.world.clock.advance(180)
    ledger.tell(
        ledger.fire(patient, slot, SENT, lag_ms=70_000),
        ledger.fire(again, slot, MISSED),
        ledger.fire(again, slot + 60_000, SENT),
    )

    assert counts(desk) == {}


def test_more_schedules_than_a_page_holds_are_counted(desk, world):
    hung_up(desk, MANY)
    desk.world.clock.advance(1_000)
    look(desk)

    assert counts(desk) == {"silent": MANY}
    assert desk.get("schedules/standing")["total"]["value"] == MANY


def test_the_next_five_are_found_among_all_by_when_they_are_due(desk):
    hung_up(desk, MANY, specs=[{"kind": "cron", "expr": "0 2 * * *"}])
    names = [f"soon {at}" for at in range(6)]
    for at, name in enumerate(names):
        named(desk, name, specs=[{"kind": "interval", "every": 60 + at}], grace_s=600 - 100 * at)
    named(desk, "off", enabled=False)

    found = desk.get("schedules/standing")["next"]

    assert [each["name"] for each in found] == names[:5]
    assert found == [
        {"id": each["id"], "name": each["name"], "next_due_ms": each["next_due_ms"]}
        for each in sorted(
            desk.get("schedules", q="name:soon*")["items"], key=lambda one: one["next_due_ms"]
        )[:5]
    ]
