"""How a slot is fired: by its name alone, and what the brain answers is what is told."""

from __future__ import annotations

import pytest
from z4j_core.errors import StoreUnavailable
from z4j_core.model.tasks import Job
from z4j_core.scheduler.leader import Found
from z4j_core.scheduler.lease import Lease
from z4j_core.scheduler.leases.calls import Answer, Op
from z4j_scheduler.delivery import NOT_FIRED, Delivery
from z4j_scheduler.lines import Lines
from z4j_scheduler.store import CentralStore, Named

SCHEDULE = "01950000-0000-7000-8000-000000000000"
JOB = Job("shop.bill", (1, 2), {"dry": True}, "fire-1")


class Desk:
    """A delivery whose brain answers as told."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        lines = Lines(self.ask)
        self.store = CentralStore(self.ask, lambda: 50.0, lines)
        self.store.lease = Lease("owner", 7, 100.0, 0)
        self.store.slots["fire-1"] = Named(SCHEDULE, 3, 9_000)
        self.delivery = Delivery(
            lambda: None, self.store, self.ask, lines, lambda *_: None, lambda: None
        )

    def ask(self, op, args, timeout_s=3.0):
        self.asked.append((op, args, timeout_s))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def place(self):
        return self.delivery.place(JOB, 1, 1.5)


def test_a_slot_is_named_and_no_task_no_argument_and_no_queue_is():
    desk = Desk(Answer(0, []))

    assert desk.place().ok
    assert desk.asked == [(Op.FIRE, ["owner", 7, SCHEDULE, 3, 9_000], 1.5)]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(-5, ["policy.args_not_registered"]), "policy.args_not_registered"),
        (Answer(-5, ["this is no slot that is due"]), NOT_FIRED),
        (Answer(-6, ["no connected agent"]), "engine.unavailable"),
        (Answer(-1, ["somebody else leads"]), "engine.unavailable"),
        (Answer(-7, ["nobody knows"]), "engine.indeterminate"),
        (Answer(-4, ["the database is away"]), "engine.indeterminate"),
        (StoreUnavailable("the brain is away"), "engine.indeterminate"),
    ],
)
def test_what_the_brain_answers_says_whether_it_may_be_tried_again(answer, code):
    assert Desk(answer).place().code == code


def test_without_a_lease_nothing_is_asked():
    desk = Desk(Answer(0, []))
    desk.store.lease = None

    assert desk.place().code == "engine.unavailable"
    assert desk.asked == []


def test_a_fire_nobody_claimed_is_not_asked_for():
    desk = Desk(Answer(0, []))
    desk.store.slots.clear()

    assert desk.place().code == "engine.unavailable"
    assert desk.asked == []


def test_of_a_run_nothing_is_known_here():
    assert Desk(Answer(0, [])).delivery.fetch("fire-1") is Found.UNKNOWN
