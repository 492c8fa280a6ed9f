"""Fires ordered over HTTP: now, again, and those of the past."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import select, update
from z4j_brain.commands import seal
from z4j_brain.commands.model import bulk_items, bulks, commands
from z4j_brain.commands.release import Release
from z4j_brain.schedules import orders
from z4j_core.agent.firing import read_order
from z4j_core.agent.verbs import checked
from z4j_core.scheduler.fires import backfill_id, digest, fire_id, is_fire

from .conftest import POLL
from .test_fires import MANUAL, SENT, SUCCEEDED, Ledger


@pytest.fixture
def poll(desk):
    desk.connect()
    return desk.add(**POLL, args=[1, 2.0, "ü", 10**15], kwargs={"b": None, "a": [1e22]})


@pytest.fixture
def ledger(world):
    return Ledger(world)


def ordered(desk):
    with desk.world.brain.db.reading() as conn:
        query = select(commands).where(commands.c.verb == "fire").order_by(commands.c.created)
        return [dict(row) for row in conn.execute(query).mappings()]


def read(row):
    """A command's parameters as the agent reads them."""
    params = dict(row["params"])
    return read_order(params | {"digest": bytes.fromhex(params["digest"])})


def test_a_fire_by_hand_is_a_sealed_command_with_the_arguments_of_the_row(desk, poll):
    answer = desk.post(f"schedules/{poll['id']}/fire", {"reason": "month's end"})

    made = answer.json()
    (row,) = ordered(desk)
    order = read(row)
    assert (answer.status_code, row["cmd_id"]) == (202, made["command"])
    assert seal.is_sealed(desk.world.brain.roots, row)
    assert is_fire(made["fire_id"])
    assert (order.fire_id, order.schedule, order.trigger) == (made["fire_id"], poll["id"], MANUAL)
    assert order.invocation == ("shop.poll", [1, 2.0, "ü", 10**15], {"b": None, "a": [1e22]})
    assert order.actor == "operator"
    assert (row["scope"], row["targets"], row["reason"]) == (1, [made["fire_id"]], "month's end")
    assert [(row.action, row.reason) for row in desk.audited()][1:] == [
        ("schedule.fire", "month's end")
    ]


def test_every_parameter_of_a_fire_is_one_the_agent_knows(desk, poll):
    from z4j_core.agent.firing import PARAMS

    desk.post(f"schedules/{poll['id']}/fire")
    (row,) = ordered(desk)
    params = dict(row["params"])

    checked(params | {"digest": bytes.fromhex(params["digest"])}, PARAMS)


def test_without_an_agent_or_its_verb_nothing_is_ordered(desk):
    made = desk.add(**POLL)
    nobody = desk.post(f"schedules/{made['id']}/fire")
    desk.connect(verbs=("cancel",))
    no_verb = desk.post(f"schedules/{made['id']}/fire")

    assert (nobody.status_code, nobody.json()["code"]) == (409, "agent.none")
    assert no_verb.json()["code"] == "engine.unsupported"
    assert desk.again(made)["can"]["fire"]["code"] == "engine.unsupported"
    assert ordered(desk) == []


@pytest.mark.parametrize(("which", "queue"), [("current", "slow"), ("then", "fast")])
def test_a_replay_is_as_the_schedule_is_now_or_as_it_was_then(desk, ledger, which, queue):
    desk.connect()
    made = desk.add(**POLL, queue="fast")
    slot = made["next_slot_ms"]
    ledger.tell(ledger.fire(made, slot))
    desk.edit(made, queue="slow")
    fire = fire_id(made["id"], 1, slot)

    answer = desk.post(
        f"schedules/{made['id']}/replay", {"fire_id": fire, "definition": which}
    ).json()

    (row,) = ordered(desk)
    order = read(row)
    assert order.job.queue == queue
    assert order.slot == slot
    assert answer["fire_id"] == order.fire_id != fire
    assert order.revision == {"current": 2, "then": 1}[which]
    assert desk.audited()[-1].detail["of"] == fire


def test_a_fire_that_never_was_cannot_be_replayed(desk, poll):
    answer = desk.post(f"schedules/{poll['id']}/replay", {"fire_id": "nothing"})

    assert answer.status_code == 404


def backfill(desk, made, minutes=5, **more):
    end = desk.world.clock.us // 1000
    body = {"from_ms": end - minutes * 60_000, "to_ms": end} | more
    return desk.post(f"schedules/{made['id']}/backfill", body)


def aged(desk, **fields):
    """A schedule that has been there for an hour."""
    made = desk.add(**POLL | fields)
    desk.world.clock.advance(3_600)
    return made


def test_a_dry_run_names_the_slots_and_orders_nothing(desk):
    desk.connect()
    made = aged(desk)

    found = backfill(desk, made).json()
    few = backfill(desk, made, max=2).json()

    assert (found["total"], len(found["slots"]), found["more"]) == (6, 6, False)
    assert (few["total"], few["more"]) == (2, True)
    assert found["backfill_id"] is None
    assert ordered(desk) == []
    assert len(desk.audited()) == 1


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"max": 10_001}, "/max"),
        ({"to_ms": 2**44}, "/to_ms"),
        ({"from_ms": 5, "to_ms": 5}, "/to_ms"),
    ],
)
def test_a_backfill_that_cannot_be_is_refused(desk, more, pointer):
    answer = backfill(desk, aged(desk), **more)

    assert (answer.status_code, answer.json()["pointer"]) == (422, pointer)


class Running:
    """The loop that sends bulks, turn by turn."""

    def __init__(self, world):
        brain = self.brain = world.brain
        self.release = Release(
            brain.db, brain.roots, brain.now_us, brain.new_id, lambda *_: None, lambda *_: True
        )
        self.release.ordered = orders.ordered

    def turn(self):
        asyncio.run(self.release.turn())

    def answer(self):
        """Every command that was sent is done."""
        with self.brain.db.writing() as conn:
            conn.execute(update(commands).where(commands.c.state == "ready").values(state="done"))


def test_a_backfill_fires_each_slot_once_at_ten_a_second_and_can_be_aborted(desk):
    desk.connect()
    made = aged(desk)
    running = Running(desk.world)
    found = backfill(desk, made, 50, dry_run=False, reason="outage").json()
    for _ in range(4):
        running.turn()
        running.answer()
    first = len(ordered(desk))
    desk.world.clock.advance(1)
    for _ in range(4):
        running.turn()
        running.answer()

    rows = ordered(desk)
    orders_ = sorted((read(row) for row in rows), key=lambda order: order.slot)
    assert (found["total"], first, len(rows)) == (51, 10, 20)
    assert [order.slot for order in orders_] == found["slots"][:20]
    assert [order.fire_id for order in orders_] == [
        backfill_id(made["id"], found["backfill_id"], slot) for slot in found["slots"][:20]
    ]
    assert {order.trigger for order in orders_} == {4}
    assert desk.audited()[-1].action == "schedule.backfill"
    stopped = desk.post(f"bulk/{found['backfill_id']}/abort")
    assert (stopped.status_code, stopped.json()["state"]) == (200, "aborted")
    running.turn()
    assert len(ordered(desk)) == 20


def test_one_after_the_other_waits_for_the_end_of_each_run(desk, ledger):
    desk.connect()
    made = aged(desk)
    running = Running(desk.world)
    found = backfill(desk, made, dry_run=False, overlap="buffer_all").json()

    def told(row, *items):
        order = read(row)
        ident = {"ident": order.fire_id, "nonce": order.nonce, "trigger": 4}
        ledger.tell(ledger.fire(made, order.slot, SENT, **ident), *items)
        return order

    running.turn()
    (row,) = ordered(desk)
    order = told(row)
    running.answer()
    running.turn()
    waiting = len(ordered(desk))
    ledger.tell(ledger.task(order.fire_id, SUCCEEDED))
    running.turn()

    assert waiting == 1
    assert len(ordered(desk)) == 2
    assert found["total"] == 6


def test_a_backfill_of_a_schedule_that_was_deleted_is_skipped(desk):
    desk.connect()
    made = aged(desk)
    found = backfill(desk, made, dry_run=False).json()
    desk.ask("DELETE", f"schedules/{made['id']}", "admin", made["revision"])
    running = Running(desk.world)
    running.turn()
    desk.world.clock.advance(1)
    running.turn()

    with desk.world.brain.db.reading() as conn:
        codes = set(conn.execute(select(bulk_items.c.code)).scalars())
        state = conn.execute(select(bulks.c.state)).scalar()
    assert (codes, state) == ({"schedule.gone"}, "done")
    assert ordered(desk) == []
    assert desk.get(f"bulk/{found['backfill_id']}")["counts"]["skipped"] == 6


def test_a_backfill_is_not_made_by_the_preview_of_bulks(desk):
    answer = desk.post("bulk/preview", {"action": "backfill", "targets": [{"engine": "celery"}]})

    assert answer.status_code == 422


@pytest.mark.parametrize("act", ["fire", "replay", "backfill"])
def test_a_viewer_fires_nothing(desk, poll, act):
    answer = desk.post(f"schedules/{poll['id']}/{act}", {}, "viewer")

    assert (answer.status_code, answer.json()["code"]) == (403, "auth.role")


def test_a_digest_is_of_what_the_agent_will_read(desk, poll):
    desk.post(f"schedules/{poll['id']}/fire")
    (row,) = ordered(desk)
    said = row["params"]["invocation"]

    args, kwargs = json.loads(said["args"]), json.loads(said["kwargs"])
    assert row["params"]["digest"] == digest("shop.poll", args, kwargs).hex()
