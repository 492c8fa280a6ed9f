"""A group that a scheduler fires: asked twice, told of, and closed to everybody else."""

from __future__ import annotations

from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from z4j_brain.commands.model import commands
from z4j_brain.schedules.model import fires, schedule_groups, schedules
from z4j_core.scheduler.fires import fire_id
from z4j_core.wire import RecordType
from z4j_core.wire.items import Fire, Result, pack_item

from .conftest import CLOCK
from .test_leases import (
    FP,
    HELD,
    IDS,
    ONE,
    OTHER,
    REFUSED,
    REV,
    UNAVAILABLE,
    agent,
    answer,
    asking,
    central,
    desk,
    no_leases,
)

__all__ = ["agent", "central", "desk", "no_leases"]
SKIPPED, MISSED, FAILED, SENT = 4, 5, 8, 3


def fired(town):
    """Fire the slot with a worker that says it is done."""
    worker = town.agents(verbs={"fire": 1}).shake()
    thread = Thread(target=lambda: answer(worker, 2))
    thread.start()
    found = town.fire()
    thread.join(5)
    return found.status


def again(worker, state):
    """Carry out one more command."""
    command = worker.until(RecordType.COMMAND)
    worker.events(2, [pack_item(Result(3, CLOCK.wall_us(), command.cmd_id, state, "", "", {}))])


def state(town, **values):
    """Let the newest command stand as told."""
    with town.brain.db.writing() as conn:
        conn.execute(update(commands).where(commands.c.verb == "fire").values(**values))


def line(slot, status, schedule=IDS[0], **more):
    known = {
        "at": 60_005, "schedule": schedule, "generation": 1, "slot": slot, "status": status,
        "trigger": 1, "revision": 1, "due": slot, "lag": 5, "enq": 1, "count": 1,
        "local": "2026-01-01T00:00:00", "fold": 0, "reason": "overlap",
    }  # fmt: skip
    return list((known | more).values())


def rows(town):
    with town.brain.db.reading() as conn:
        return conn.execute(select(fires).order_by(fires.c.slot_ms)).mappings().all()


def test_asked_again_while_it_is_on_its_way_the_first_command_is_answered_for(central):
    first = fired(central)
    second = central.fire()

    assert (first, second.status) == (0, 0)
    assert len(central.ordered()) == 1


def test_a_fire_that_an_agent_placed_is_sent_although_its_result_was_lost(central):
    fired(central)
    state(central, state="no_answer")
    with central.brain.db.writing() as conn:
        conn.execute(update(fires).values(sent=CLOCK.wall_us()))

    assert central.fire().status == 0
    assert len(central.ordered()) == 1


def test_after_a_command_that_came_to_nothing_there_is_another(central):
    worker = central.agents(verbs={"fire": 1}).shake()
    first = Thread(target=lambda: answer(worker, 5, "engine.error"))
    first.start()
    failed = central.fire().status
    first.join(5)
    second = Thread(target=lambda: again(worker, 2))
    second.start()
    done = central.fire().status
    second.join(5)

    assert (failed, done) == (REFUSED, 0)
    assert len({row["cmd_id"] for row in central.ordered()}) == 2


def test_the_claim_is_in_the_history_with_its_epoch_and_local_time(central):
    fired(central)

    (row,) = rows(central)
    assert (row["slot_ms"], row["epoch"], row["status"]) == (central.slot, central.epoch, 1)
    assert row["slot_local"].startswith("20")


def test_what_the_agent_tells_adds_to_it(central):
    worker = central.agents(verbs={"fire": 1}).shake()
    thread = Thread(target=lambda: answer(worker, 2))
    thread.start()
    central.fire()
    thread.join(5)
    now_us, slot = CLOCK.wall_us(), central.slot
    name = UUID(fire_id(IDS[0], 1, slot)).bytes
    told = Fire(4, now_us, "celery", "app", UUID(IDS[0]).bytes, 1, slot, None, name, SENT, 1, 0,
                1, slot * 1000, 3, 1, 1, "", 0, None, None)  # fmt: skip
    worker.events(2, [pack_item(told)])
    while worker.until(RecordType.ACK).marks[0].upto < 2:
        continue

    (row,) = rows(central)
    assert (row["status"], row["epoch"], row["lag_ms"]) == (SENT, central.epoch, 3)
    assert row["slot_local"].startswith("20")


def test_a_slot_that_was_passed_fires_only_while_the_ledger_holds_it_open(central):
    with central.brain.db.writing() as conn:
        later = central.slot + 60_000
        conn.execute(update(schedules).values(last_slot_ms=later, last_generation=1))
    closed = central.fire().status
    slot = [IDS[0], 1, central.slot, fire_id(IDS[0], 1, central.slot), b"", None]
    central.ask(5, [ONE, central.epoch, [slot]])

    assert closed == REFUSED
    assert fired(central) == 0


def test_what_no_agent_can_tell_is_told_by_the_scheduler(central):
    slot = central.slot
    told = central.ask(13, [ONE, central.epoch, [line(slot, SKIPPED)]])

    (row,) = rows(central)
    assert told.status == 0
    assert (row["status"], row["reason"], row["fire_id"]) == (
        SKIPPED, "overlap", fire_id(IDS[0], 1, slot),
    )  # fmt: skip
    with central.brain.db.reading() as conn:
        assert conn.execute(select(schedules.c.last_slot_ms)).scalar() == slot


@pytest.mark.parametrize(
    "given",
    [
        line(60_000, SENT),
        line(60_000, 1),
        line(60_000, SKIPPED, schedule=IDS[9])[:-1],
        line(60_000, SKIPPED, trigger=2),
        line("now", SKIPPED),
        ["nonsense"],
        7,
    ],
    ids=["sent", "claimed", "too short", "by hand", "no number", "text", "number"],
)
def test_s11_it_tells_of_nothing_that_agents_tell_and_nothing_else(central, given):
    assert central.ask(13, [ONE, central.epoch, [given]]).status == REFUSED
    assert rows(central) == []


def test_s11_who_does_not_lead_tells_nothing(central):
    told = [line(central.slot, FAILED)]

    assert central.ask(13, [OTHER, central.epoch, told]).status == HELD
    assert central.ask(13, [ONE, central.epoch - 1, told]).status == HELD
    assert rows(central) == []


def test_which_runs_go_on_is_read_from_the_history(central):
    fired(central)
    with central.brain.db.writing() as conn:
        conn.execute(update(fires).values(sent=CLOCK.wall_us(), status=SENT, state=3))
    status, values = central.ask(10, [IDS[0]])
    with central.brain.db.writing() as conn:
        conn.execute(update(fires).values(ended=CLOCK.wall_us(), state=9))
    after = central.ask(10, [IDS[0]])

    assert (status, [run[0] for run in values[0]]) == (0, [fire_id(IDS[0], 1, central.slot)])
    assert list(after.values) == [[]]


def test_failures_in_a_row_come_with_the_cursors(central):
    slot = [IDS[0], 1, central.slot, fire_id(IDS[0], 1, central.slot), b"", None]
    central.ask(5, [ONE, central.epoch, [slot]])
    with central.brain.db.writing() as conn:
        conn.execute(update(schedules).values(consecutive_failures=2, last_ended_ms=5))
    _, values = central.ask(4, [None])

    assert list(values[0]) == [[IDS[0], 1, central.slot, 1, 2, "failed"]]


def test_agents_do_not_lead_a_central_group_nor_a_scheduler_one_of_theirs(central, agent):
    theirs = asking(agent)(1, [OTHER, 15_000, bytes.fromhex(FP), REV])
    with central.brain.db.writing() as conn:
        conn.execute(text("DELETE FROM z4j_lease"))
        conn.execute(update(schedule_groups).values(mode="agents", store=None))
    ours = central.ask(1, [ONE, 15_000, bytes.fromhex(FP), REV])

    assert theirs.status == UNAVAILABLE
    assert "z4j-scheduler" in theirs.values[0]
    assert ours.status == UNAVAILABLE
    assert "its agents" in ours.values[0]


def test_while_a_group_moves_nobody_leads_it(central, agent):
    with central.brain.db.writing() as conn:
        conn.execute(text("DELETE FROM z4j_lease"))
        conn.execute(update(schedule_groups).values(store="none"))

    assert central.ask(1, [ONE, 15_000, bytes.fromhex(FP), REV]).status == UNAVAILABLE
    assert asking(agent)(1, [OTHER, 15_000, bytes.fromhex(FP), REV]).status == UNAVAILABLE
