"""Schedules nobody hears of, and pauses that end by themselves."""

from __future__ import annotations

from z4j_brain.schedules import silence

from .conftest import POLL
from .test_fires import Ledger


def look(desk):
    with desk.world.brain.db.writing() as conn:
        return silence.look(conn, desk.world.clock.us)


def test_a_slot_nobody_tells_of_makes_the_schedule_silent_and_telling_ends_it(desk):
    desk.connect()
    made = desk.add(**POLL)
    ledger = Ledger(desk.world)
    desk.world.clock.advance(60 + 60 + 59)
    early = look(desk)
    desk.world.clock.advance(2)
    told = look(desk)

    silent = desk.again(made)["silent"]
    (group,) = desk.get("schedules/groups")["items"]
    slots = [made["next_slot_ms"] + n * 60_000 for n in range(3)]
    ledger.tell(*[ledger.fire(made, slot) for slot in slots])

    assert (early, told) == (set(), {desk.world.shop})
    assert "nobody told of it" in silent
    assert (group["silent"], group["why"]) == (True, silent)
    assert desk.again(made)["silent"] is None
    assert look(desk) == set()
    assert desk.get("schedules", q="is:silent")["total"] == 0


def test_without_an_agent_the_silence_has_its_reason(desk):
    made = desk.add(**POLL)
    desk.world.clock.advance(1_000)

    look(desk)

    assert desk.again(made)["silent"] == "unknown: group offline"
    assert [each["name"] for each in desk.get("schedules", q="is:silent")["items"]] == ["poll"]


def test_what_is_paused_disabled_or_not_due_is_not_silent(desk):
    paused, disabled = desk.add(**POLL), desk.add(**POLL | {"name": "off", "enabled": False})
    desk.add()
    desk.post(f"schedules/{paused['id']}/pause")
    desk.world.clock.advance(1_000)

    look(desk)

    assert desk.get("schedules", q="is:silent")["total"] == 0
    assert desk.again(disabled)["silent"] is None


def test_a_pause_whose_time_is_over_ends_by_itself_and_is_written_down(desk):
    made = desk.add(**POLL)
    until = desk.world.clock.us // 1000 + 600_000
    desk.post(f"schedules/{made['id']}/pause", {"until": until})
    desk.world.clock.advance(599)
    look(desk)
    still = desk.again(made)
    desk.world.clock.advance(2)
    look(desk)

    again = desk.again(made)
    assert still["paused"]["until"] == until
    assert again["paused"] is None
    assert again["revision"] == still["revision"] + 1
    assert [(row.action, row.actor) for row in desk.audited()][-1] == ("schedule.resume", "z4j")


def test_a_turn_looks_at_those_whose_time_has_come_and_at_no_more_than_its_bound(desk, monkeypatch):
    monkeypatch.setattr(silence, "MOST", 2)
    for name in ("a", "b", "c"):
        desk.add(**POLL | {"name": name})
    desk.world.clock.advance(1_000)

    look(desk)
    first = desk.get("schedules", q="is:silent")["total"]
    look(desk)

    assert (first, desk.get("schedules", q="is:silent")["total"]) == (2, 3)
