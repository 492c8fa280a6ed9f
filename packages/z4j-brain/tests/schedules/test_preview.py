"""What a schedule would do, before it is saved: slots, clocks, catch-up, what is odd about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert
from z4j_brain.db import histogram
from z4j_brain.tasks.model import rollup_minute

from .conftest import NIGHTLY, PLACE, POLL


def ms(*at: int) -> int:
    return int(datetime(*at, tzinfo=UTC).timestamp() * 1000)


def preview(desk, **fields):
    answer = desk.post("schedules/preview", fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(found):
    return [each["code"] for each in found["warnings"]]


def new_york(expr):
    return {"specs": [{"kind": "cron", "expr": expr, "tz": "America/New_York"}]}


def test_a_slot_in_the_gap_is_marked_in_both_zones(desk):
    desk.world.clock.us = ms(2027, 3, 13) * 1000

    found = preview(desk, **new_york("30 2 * * *"), viewer_tz="Europe/Paris", n=3)

    assert [(each["local"], each["note"]) for each in found["next"]] == [
        ("2027-03-13T02:30:00", ""), ("2027-03-14T03:00:00", "gap"), ("2027-03-15T02:30:00", ""),
    ]  # fmt: skip
    assert found["next"][1]["slot_ms"] == ms(2027, 3, 14, 7)
    assert found["next"][1]["viewer_local"] == "2027-03-14T08:00:00"
    assert found["next"][1]["tz"] == "America/New_York"


def test_the_repeated_hour_is_marked_as_the_second_of_two(desk):
    desk.world.clock.us = ms(2026, 11, 1, 4, 45) * 1000

    found = preview(desk, **new_york("*/30 1 * * *"), n=4)

    assert [(each["local"], each["fold"]) for each in found["next"]] == [
        ("2026-11-01T01:00:00", 0), ("2026-11-01T01:30:00", 0),
        ("2026-11-01T01:00:00", 1), ("2026-11-01T01:30:00", 1),
    ]  # fmt: skip
    assert found["next"][2]["note"] == "fold2"


@pytest.mark.parametrize(
    ("catchup", "fires", "lost"),
    [("fire_all", 5, 0), ("fire_one", 1, 4), ("skip", 0, 5)],
)
def test_catch_up_over_an_outage_is_what_the_leader_would_do(desk, catchup, fires, lost):
    start = ms(2026, 6, 1)
    outage = {"from_ms": start, "to_ms": start + 5 * 3_600_000 + 1_800_000}

    found = preview(
        desk, specs=[{"kind": "cron", "expr": "0 * * * *"}], catchup=catchup, outage=outage,
        grace_s=60,
    )  # fmt: skip

    assert found["catchup"]["missed"] == 5
    assert (len(found["catchup"]["fires"]), found["catchup"]["lost"]) == (fires, lost)


def test_an_outage_of_years_costs_bounded_work_and_says_that_there_is_more(desk):
    outage = {"from_ms": ms(1990, 1, 1), "to_ms": ms(2026, 1, 1)}

    found = preview(desk, specs=[{"kind": "interval", "every": 1}], outage=outage)

    assert (found["catchup"]["missed"], found["catchup"]["more"]) == (10_000, True)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"n": 51}, "/n"),
        ({"viewer_tz": "Mars/Olympus"}, "/viewer_tz"),
        ({"outage": {"from_ms": 5, "to_ms": 4}}, "/outage/to_ms"),
        ({"outage": {"from_ms": "x", "to_ms": 4}}, "/outage/from_ms"),
        ({"specs": [{"kind": "cron", "expr": "x"}]}, "/specs/0/expr"),
        ({"specs": None}, "/specs"),
    ],
)
def test_what_cannot_be_previewed_is_named_by_its_pointer(desk, fields, pointer):
    answer = desk.post("schedules/preview", POLL | fields)

    assert (answer.status_code, answer.json()["pointer"]) == (422, pointer)


def test_a_saved_schedule_is_previewed_with_its_own_anchor_and_jitter(desk):
    made = desk.add(**POLL, jitter_s=30)
    desk.world.clock.advance(90)

    found = preview(desk, id=made["id"], specs=made["specs"], jitter_s=30, n=1)

    again = desk.again(made)
    assert found["next"][0]["slot_ms"] == again["next_slot_ms"]
    assert found["next"][0]["due_ms"] == again["next_due_ms"]


def test_a_task_nobody_registered_is_warned_of_and_refused_when_asked_strictly(desk):
    desk.register("shop.poll")

    found = preview(desk, **NIGHTLY)
    strict = desk.post("schedules", NIGHTLY, params={"strict": "1"})
    known = preview(desk, **POLL)

    assert codes(found) == ["schedule.unknown_task"]
    assert (strict.status_code, strict.json()["code"]) == (422, "schedule.unknown_task")
    assert desk.get("schedules")["total"] == 0
    assert codes(known) == []


def test_arguments_are_held_against_the_signature(desk):
    params = [("order", 1, False), ("dry", 3, False), ("note", 3, True)]
    desk.register("shop.bill", params=params)

    fits = preview(desk, **NIGHTLY | {"args": [7]})
    wrong = preview(desk, **NIGHTLY | {"args": [7, 8], "kwargs": {"order": 1, "colour": "red"}})

    assert codes(fits) == []
    texts = " ".join(each["text"] for each in wrong["warnings"])
    assert sorted(codes(wrong)) == [
        "schedule.args_extra", "schedule.args_missing", "schedule.args_twice",
        "schedule.args_unknown",
    ]  # fmt: skip
    assert all(name in texts for name in ("'dry'", "'colour'", "'order'"))


def test_slots_that_are_all_past_are_warned_of(desk):
    found = preview(desk, specs=[{"kind": "once", "at": "2020-01-01T00:00:00Z"}])

    assert codes(found) == ["schedule.past"]
    assert found["next"] == []


def test_an_interval_shorter_than_the_task_takes_is_warned_of(desk):
    desk.register("shop.poll")
    with desk.world.brain.db.writing() as conn:
        conn.execute(insert(rollup_minute).values(
            project_id=desk.world.shop, minute=desk.world.clock.us // 60_000_000,
            engine="celery", name="shop.poll", queue="q",
            runtime_hist=histogram.encode({histogram.bucket_of(90_000_000): 20}),
        ))  # fmt: skip

    short = preview(desk, **POLL)
    long = preview(desk, **POLL | {"specs": [{"kind": "interval", "every": 3600}]})

    assert codes(short) == ["schedule.overlaps"]
    assert codes(long) == []


def test_an_overlap_rule_says_what_it_lacks(desk):
    desk.register("shop.poll")
    nobody = preview(desk, **POLL | {"overlap": "skip"})
    desk.connect(verbs=("fire",))
    no_verb = preview(desk, **POLL | {"overlap": "cancel_other"})
    desk.connect(verbs=("fire", "terminate"))
    low = preview(desk, **POLL | {"overlap": "terminate_other"})

    assert codes(nobody) == ["schedule.overlap_untracked"]
    assert codes(no_verb) == ["schedule.overlap_verb"]
    assert codes(low) == ["schedule.overlap_verb"]


def test_the_level_the_app_needs_is_said_before_saving(desk):
    desk.register("shop.poll")
    desk.connect(policy="control")

    found = preview(desk, **POLL)
    made = desk.add(**POLL)

    assert found["level"]["needs"] == "run"
    assert not found["level"]["ok"]
    assert "Z4J_ALLOW=run" in found["level"]["fix"]
    assert made["can"]["fire"]["code"] == "policy.args_not_registered"


def test_a_schedule_whose_task_is_gone_is_still_shown(desk):
    made = desk.add(task="shop.gone")
    desk.register("shop.poll")

    assert desk.again(made)["task"] == "shop.gone"
    assert codes(preview(desk, **PLACE, task="shop.gone", specs=made["specs"])) == [
        "schedule.unknown_task"
    ]
