"""`z4j schedules` against a served brain: acted on, and what became of it."""

from __future__ import annotations

import io
import json
import sys

import pytest
from schedule_rows import audited, row
from z4j_core.agent.ledger import Status, Why
from z4j_core.scheduler.fires import fire_id
from z4j_testing.signals import eventually

pytestmark = pytest.mark.live


DAYS = ("2026-01-01T00:00Z", "2026-01-03T00:00Z")


def test_without_a_terminal_a_backfill_is_counted_and_not_sent(run, make, brain, monkeypatch):
    name = make()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    before = audited(brain)

    code, out, err = run("backfill", name, *DAYS)

    assert (code, out) == (2, f"{name}: 2 slots\n"), err
    assert "give --yes" in err
    assert audited(brain) == before


def test_a_backfill_of_no_slot_is_done(run, make):
    name = make()

    code, out, _ = run("backfill", name, "2026-01-01T03:00Z", "2026-01-01T04:00Z", "--yes")

    assert (code, out) == (0, f"{name}: 0 slots\n")


def test_a_backfill_of_the_future_is_usage(run, make):
    code, _, err = run("backfill", make(), "2026-01-01T03:00Z", "2h", "--yes")

    assert (code, "/to_ms: this is in the future" in err) == (2, True), err


def test_what_is_fired_by_hand_is_placed_and_stands_in_the_history(run, make, teller):
    name = make()

    code, out, err = run("fire", name, "--reason", "to see")

    assert code == 0, err
    fire = out.split()[-1]
    assert out == f"{name}: sent as {fire}\n"
    told = lambda: [json.loads(line) for line in run("history", name, "--json")[1].splitlines()]  # noqa: E731
    eventually(lambda: [each["status"] for each in told()] == ["sent"], "the fire to be told")
    (only,) = told()
    assert (only["fire_id"], only["trigger"]) == (fire, "manual")

    code, out, err = run("replay", name, fire, "--definition", "then")
    assert code == 0, err
    eventually(lambda: {each["trigger"] for each in told()} == {"manual", "replay"}, "the replay")


def test_a_backfill_fires_each_slot(run, make, teller):
    name = make()

    code, out, err = run("backfill", name, *DAYS, "--yes")

    assert (code, out.splitlines()[0]) == (0, f"{name}: 2 slots"), err
    assert out.splitlines()[1].startswith("backfill ")
    told = lambda: run("history", name, "--trigger", "backfill", "--status", "sent")[1]  # noqa: E731
    eventually(lambda: len(told().splitlines()) == 2, "both slots to be fired")


def test_groups_say_where_each_stands(run, make, teller):
    make()

    code, out, _ = run("groups")

    (line,) = [line for line in out.splitlines() if line.startswith("celery  shop")]
    assert (code, "revision" in line) == (0, True)


def test_where_there_is_one_group_it_need_not_be_named(run, make, teller):
    code, _, err = run("add", "unplaced", "task=shop.bill", "interval=30", "engine=celery")

    assert code == 0, err
    assert row(run, "unplaced")["app"] == "shop"


def test_history_tells_what_became_of_each_fire(run, make, teller):
    name = make("interval=1h")
    found = row(run, name)
    later = found["next_slot_ms"] + 3_600_000
    teller(
        found,
        (Status.SENT, Why.TIMER, {"lag_ms": 12}),
        (Status.MISSED, Why.CATCHUP, {"count_": 3, "slot": later, "reason": "away"}),
    )

    code, out, _ = run("history", name)

    assert code == 0
    missed, sent = out.splitlines()
    assert ("missed 3 times" in missed, "away" in missed) == (True, True)
    assert sent.split()[:3] == ["2027-01-01T02:00:00", "sent", "timer"]
    assert "12 ms" in sent
    assert fire_id(found["id"], 1, found["next_slot_ms"]) in sent
    (only,) = run("history", name, "--status", "missed", "--json")[1].splitlines()
    assert json.loads(only)["slot_ms"] == later
    assert name in run("history")[1]
