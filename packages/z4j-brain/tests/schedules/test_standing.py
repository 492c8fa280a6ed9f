"""Counts of all schedules by their trouble: each opens the list that it counts."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text
from z4j_brain.schedules import model
from z4j_brain.schedules.model import COMING, DUE_MS, schedules

from .conftest import POLL
from .test_fires import FAILED_TASK, MISSED, SENT, SUPPRESSED, Ledger, fire_id
from .test_silence import look
from .test_unplaced import REFUSED_RESULT, ordered, result

TROUBLES = ("silent", "failing", "paused", "missed", "late")
MANY = 230


@pytest.fixture
def ledger(world):
    return Ledger(world)


def bound(asked):
    names = asked.positiontup
    return asked.params if names is None else tuple(asked.params[name] for name in names)


@pytest.fixture
def explained(world):
    """How the database would answer a query, where it may not read the whole table."""

    def explain(query):
        db = world.brain.db
        with db.reading() as conn:
            if not db.is_sqlite:
                conn.execute(text("SET LOCAL enable_seqscan = off"))
            how = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
            asked = query.compile(conn)
            rows = conn.exec_driver_sql(f"{how} {asked}", bound(asked))
            return "\n".join(str(row[-1]) for row in rows)

    return explain


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


def test_another_grace_judges_the_newest_fire_again(desk, ledger):
    late = named(desk, "late")
    slot = late["next_slot_ms"]
    desk.world.clock.advance(180)
    ledger.tell(ledger.fire(late, slot, SENT, lag_ms=61_000))
    before = counts(desk)

    patient = desk.edit(desk.again(late), grace_s=90).json()
    meanwhile = counts(desk)
    desk.edit(patient, grace_s=61)

    assert (before, meanwhile, counts(desk)) == ({"late": 1}, {}, {})
    desk.edit(desk.again(late), grace_s=60)
    assert counts(desk) == {"late": 1}


def test_a_late_fire_whose_task_failed_is_failing_and_not_late(desk, ledger):
    late = named(desk, "late")
    slot = late["next_slot_ms"]
    desk.world.clock.advance(180)
    ledger.tell(ledger.fire(late, slot, SENT, lag_ms=61_000))
    before = counts(desk)

    ledger.tell(ledger.task(fire_id(late["id"], late["generation"], slot), FAILED_TASK))

    assert (before, counts(desk)) == ({"late": 1}, {"failing": 1})


def test_a_fire_by_hand_that_came_to_nothing_is_the_newest_too(desk, ledger):
    desk.connect()
    missed = named(desk, "missed")
    desk.world.clock.advance(180)
    ledger.tell(ledger.fire(missed, missed["next_slot_ms"], MISSED))
    before = counts(desk)

    _, row = ordered(desk, missed)
    ledger.tell(result(row, REFUSED_RESULT, "policy.args_not_registered", "never declared"))

    assert (before, counts(desk)) == ({"missed": 1}, {})


def test_what_a_worker_adds_by_the_id_alone_counts_for_its_schedule(desk, ledger):
    missed = named(desk, "missed")
    slot = missed["next_slot_ms"]
    desk.world.clock.advance(180)
    ledger.tell(ledger.fire(missed, slot, MISSED))
    before = counts(desk)

    ledger.tell(ledger.fire(missed, slot, SUPPRESSED)._replace(schedule=bytes(16)))

    assert (before, counts(desk)) == ({"missed": 1}, {})


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_is_counted_by_the_index_of_it_alone(desk, explained, trouble):
    found = explained(select(func.count()).select_from(schedules).where(
        schedules.c.project_id == desk.world.shop, model.TROUBLES[trouble]
    ))  # fmt: skip

    assert f"ix_schedules_{trouble}" in found


def test_the_next_to_fire_are_found_in_the_order_of_an_index(desk, explained):
    own = schedules.c.project_id == desk.world.shop
    soonest = select(schedules).where(own, COMING).order_by(DUE_MS, schedules.c.id).limit(5)

    found = explained(soonest)

    assert "ix_schedules_coming" in found
    assert "sort" not in found.lower().replace("order by", "sort")
