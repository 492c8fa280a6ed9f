"""A schedule made over HTTP fires in a real worker, and its history says so."""

from __future__ import annotations

import time

import pytest
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.rest import enter
from z4j_testing.demo.stack import PROJECT, open_shop
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]
MAIL = {"task": "shop.send_mail", "args": ["mei@mail.example", "Good morning"]}
PATIENCE_S = 60


@pytest.fixture(scope="module", params=["", "brain"], ids=["in redis", "in the brain"])
def rest(tmp_path_factory, request):
    """A shop with a Celery worker that has its leases there, and what asks its brain."""
    home = tmp_path_factory.mktemp("scheduled")
    family = Family(home)
    with pytest.MonkeyPatch.context() as patch:
        if request.param:
            patch.setenv("Z4J_LEASE_STORE", request.param)
        try:
            shop = open_shop(family, home, free_port(), 0.1, engines=["celery"])
            yield enter(shop.brain.url, PROJECT, shop.brain.link)
        finally:
            family.end()


@pytest.fixture(scope="module")
def group(rest):
    """The one group there is, once somebody may lead it."""

    def led():
        return [each for each in rest.get("schedules/groups")["items"] if each["candidates"]]

    (found,) = eventually(led, "a candidate", PATIENCE_S)
    return {"engine": found["engine"], "app": found["app"]}


def fires(rest, made, **query):
    return rest.get(f"schedules/{made['id']}/fires", **query)["items"]


@pytest.fixture(scope="module")
def mail(rest, group):
    """A schedule that fires every second."""
    specs = [{"kind": "interval", "every": 1}]
    return rest.post("schedules", group | MAIL | {"name": "mail", "specs": specs})


def test_it_fires_on_time_and_its_tasks_succeed(rest, mail):
    def ended():
        found = [each for each in fires(rest, mail) if each["task"]]
        good = [each for each in found if each["task"]["state"] == "succeeded"]
        return good if len(good) >= 5 else None

    found = eventually(ended, "five fires whose tasks succeeded", PATIENCE_S)

    slots = sorted(each["slot_ms"] for each in found)
    assert len(set(slots)) == len(slots)
    assert all(slot % 1000 == slots[0] % 1000 for slot in slots)
    assert {each["status"] for each in found} == {"sent"}
    shown = rest.get(f"schedules/{mail['id']}")
    assert shown["fires_total"] >= 5
    assert shown["silent"] is None
    task = rest.get(f"tasks/{found[0]['task']['ref']}")
    assert task["id"] == found[0]["fire_id"]


def test_its_tasks_are_found_by_its_name_and_somebody_leads(rest, mail):
    tasks = eventually(lambda: rest.get("tasks", q="schedule:mail")["items"], "tasks", PATIENCE_S)
    (group,) = [each for each in rest.get("schedules/groups")["items"] if each["leader"]]

    assert {each["task"] for each in tasks} == {"shop.send_mail"}
    assert group["leader"]["epoch"] > 0
    assert [each["is_leader"] for each in group["candidates"]] == [True]
    revision = rest.get(f"schedules/{mail['id']}")["revision"]
    assert group["candidates"][0]["revision"] == revision


def test_a_pause_stops_it_and_resuming_misses_nothing(rest, mail):
    rest.post(f"schedules/{mail['id']}/pause", {"note": "a test"})

    def is_quiet():
        return time.time() * 1000 - fires(rest, mail)[0]["slot_ms"] > 4_000

    eventually(is_quiet, "no fire for 4 s", PATIENCE_S)
    paused_at = fires(rest, mail)[0]["slot_ms"]
    rest.post(f"schedules/{mail['id']}/resume", {})
    eventually(lambda: fires(rest, mail)[0]["slot_ms"] > paused_at, "a fire again", PATIENCE_S)

    after = [each for each in fires(rest, mail) if each["slot_ms"] > paused_at]
    assert min(each["slot_ms"] for each in after) - paused_at > 4_000
    assert {each["status"] for each in after} <= {"sent", "claimed"}


def test_a_fire_by_hand_runs_at_once(rest, mail):
    rest.post(f"schedules/{mail['id']}/pause", {})
    made = rest.post(f"schedules/{mail['id']}/fire", {"reason": "now"})

    def done():
        hand = [e for e in fires(rest, mail, trigger="manual") if e["task"]]
        return [each for each in hand if each["task"]["state"] == "succeeded"]

    (fire,) = eventually(done, "the fire by hand", PATIENCE_S)
    assert fire["fire_id"] == made["fire_id"]
    assert fire["status"] == "sent"


def test_a_backfill_fires_each_slot_of_the_past(rest, group):
    specs = [{"kind": "cron", "expr": "0 * * * *"}]
    made = rest.post("schedules", group | MAIL | {"name": "hourly", "specs": specs})
    now_ms = int(time.time() * 1000)
    span = {"from_ms": now_ms - 6 * 3_600_000, "to_ms": now_ms, "dry_run": False}
    found = rest.post(f"schedules/{made['id']}/backfill", span)

    def sent():
        past = fires(rest, made, trigger="backfill", status="sent")
        return past if len(past) == found["total"] else None

    past = eventually(sent, "every slot", PATIENCE_S)
    assert sorted(each["slot_ms"] for each in past) == found["slots"]
    assert 5 <= found["total"] <= 7
