"""Fires that were ordered and came to nothing are in the history, with the reason."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from z4j_brain.commands import outbox
from z4j_brain.commands.model import commands
from z4j_brain.commands.results import Answer, apply_results
from z4j_brain.schedules import unplaced
from z4j_core.wire.items import Result

from .conftest import POLL
from .test_fires import CLAIMED, FAILED, MANUAL, SENT, Ledger

REFUSED_RESULT, FAILED_RESULT, DONE = 4, 5, 2
SECOND_US = 1_000_000


@pytest.fixture
def ledger(world):
    return Ledger(world)


@pytest.fixture
def poll(desk):
    desk.connect()
    return desk.add(**POLL)


def ordered(desk, poll):
    """A fire by hand: its id, and its command."""
    made = desk.post(f"schedules/{poll['id']}/fire", {"reason": "now"}).json()
    with desk.world.brain.db.reading() as conn:
        query = select(commands).where(commands.c.cmd_id == made["command"])
        return made["fire_id"], conn.execute(query).mappings().one()


def result(row, state, code, detail, at=1):
    return Result(
        3, at, bytes.fromhex(row["cmd_id"]), state, code, detail, {}
    )  # fmt: skip


def history(desk, poll):
    return desk.get(f"schedules/{poll['id']}/fires")["items"]


def by_hand(ledger, poll, fire_id, row, status, **known):
    params = row["params"]
    return ledger.fire(
        poll, params["slot"], status, ident=fire_id, nonce=params["nonce"], trigger=MANUAL,
        epoch=0, actor="operator", **known,
    )  # fmt: skip


def test_a_fire_that_an_agent_refused_is_shown_with_its_words(desk, ledger, poll):
    fire_id, row = ordered(desk, poll)
    words = "the arguments were never declared in this app"

    change = ledger.tell(result(row, REFUSED_RESULT, "policy.args_not_registered", words))

    (shown,) = history(desk, poll)
    assert (shown["fire_id"], shown["status"], shown["trigger"]) == (fire_id, "refused", "manual")
    assert shown["reason"] == f"policy.args_not_registered: {words}"
    assert (shown["actor"], shown["sent"], shown["epoch"]) == ("operator", None, 0)
    assert change.schedules == (poll["id"],)
    assert desk.again(poll)["last_result"] == "refused"
    assert desk.again(poll)["fires_total"] == 0


def test_what_an_agent_tells_of_a_fire_stands_over_what_the_brain_noted(desk, ledger, poll):
    fire_id, row = ordered(desk, poll)
    ledger.tell(result(row, FAILED_RESULT, "engine.unavailable", "no broker"))
    noted = history(desk, poll)[0]["status"]

    ledger.tell(
        by_hand(ledger, poll, fire_id, row, CLAIMED), by_hand(ledger, poll, fire_id, row, SENT)
    )

    (shown,) = history(desk, poll)
    assert (noted, shown["status"], shown["enq"]) == ("failed", "sent", 1)
    assert desk.again(poll)["fires_total"] == 1


def test_a_fire_an_agent_told_of_is_not_noted_twice(desk, ledger, poll):
    fire_id, row = ordered(desk, poll)
    ledger.tell(by_hand(ledger, poll, fire_id, row, FAILED, reason="engine.unavailable: no broker"))

    ledger.tell(result(row, FAILED_RESULT, "engine.unavailable", "no broker"))

    (shown,) = history(desk, poll)
    assert (shown["status"], shown["enq"]) == ("failed", 1)


def test_a_fire_that_nobody_answered_says_so_and_is_corrected_when_somebody_does(
    desk, ledger, poll
):
    fire_id, row = ordered(desk, poll)
    with desk.world.brain.db.writing() as conn:
        now_us = desk.world.clock.us
        outbox.claim(conn, row["cmd_id"], ["s"], now_us)
        late = row["deadline"] + outbox.GRACE_US
        ended = outbox.overdue(conn, late)
        changed = unplaced.note(conn, [cmd_id for _, cmd_id in ended], late)
    silent = history(desk, poll)[0]

    ledger.tell(by_hand(ledger, poll, fire_id, row, SENT))

    assert changed == {desk.world.shop: {poll["id"]}}
    assert silent["status"] == "failed"
    assert "did not answer" in silent["reason"]
    assert history(desk, poll)[0]["status"] == "sent"


def test_a_fire_that_no_agent_took_in_time_is_too_late(desk, poll):
    _, row = ordered(desk, poll)
    with desk.world.brain.db.writing() as conn:
        ended = outbox.overdue(conn, row["deadline"] + SECOND_US)
        unplaced.note(conn, [cmd_id for _, cmd_id in ended], row["deadline"])

    (shown,) = history(desk, poll)
    assert (shown["status"], shown["reason"].split(":")[0]) == ("expired", "agent.none")


def test_a_fire_that_went_well_and_other_commands_note_nothing(desk, poll):
    _, row = ordered(desk, poll)
    with desk.world.brain.db.writing() as conn:
        answer = Answer(row["cmd_id"], "s", 1, DONE)
        apply_results(conn, desk.world.shop, [answer], 1)
        changed = unplaced.note(conn, [row["cmd_id"], "nothing"], 1)

    assert changed == {}
    assert history(desk, poll) == []
