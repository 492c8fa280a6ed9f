"""The guard of scheduled runs. The rule: a second copy is dropped and told; in doubt it starts."""

from __future__ import annotations

import os
import threading
import time

import pytest
from z4j_core import EventKind, TaskEvent
from z4j_core.agent.counters import Counters
from z4j_core.agent.guard import Guard
from z4j_core.agent.runs import ORIGIN, Origin
from z4j_core.errors import StoreUnavailable
from z4j_core.scheduler.fires import fire_id, mark
from z4j_core.wire.items import Fire
from z4j_testing.signals import eventually

SCHEDULE = "0190a6e0-7b1c-7000-8000-000000000001"
FIRE = fire_id(SCHEDULE, 1, 60_000)
LONG_S = 20.0


class Kept:
    """What a store keeps for the guard; `holds` makes it answer late, `is_down` not at all."""

    def __init__(self):
        self.begun = {}
        self.asked = 0
        self.is_down = self.is_reached = False
        self.holds = threading.Event()
        self.holds.set()

    def first_start(self, fire, enq):
        self.asked += 1
        self.holds.wait(LONG_S)
        if self.is_down:
            raise StoreUnavailable("it is not there")
        return self.begun.setdefault(fire, enq) == enq

    def is_blank(self):
        self.is_reached = True
        return False

    def forget_start(self, fire):
        self.begun.pop(fire, None)


@pytest.fixture
def kept():
    found = Kept()
    yield found
    found.holds.set()


@pytest.fixture
def guard(kept):
    told = []
    made = Guard(Counters(), os.urandom, lambda *what: told.append(what))
    made.told = told
    made.plug(lambda: kept)
    yield made
    made.plug(None)


def test_a_second_copy_may_not_start_and_is_told(guard):
    assert guard.first_start(FIRE, mark(FIRE, 1))

    assert not guard.first_start(FIRE, mark(FIRE, 2))

    assert guard.told == [(FIRE, 2)]


def test_a_message_of_the_same_attempt_to_enqueue_may_start_again(guard):
    assert [guard.first_start(FIRE, mark(FIRE, 3)) for _ in range(3)] == [True] * 3
    assert guard.told == []


@pytest.mark.parametrize("carried", [None, "", "x:1", 7, mark(fire_id(SCHEDULE, 1, 0), 2)])
def test_what_is_no_fire_of_its_own_starts_and_nobody_is_asked(guard, kept, carried):
    kept.begun[FIRE] = 1

    assert guard.first_start(FIRE, carried)

    assert kept.asked == 0


def test_without_a_store_everything_starts(guard):
    guard.plug(None)

    assert guard.first_start(FIRE, mark(FIRE, 1))
    assert guard.first_start(FIRE, mark(FIRE, 2))
    assert guard.sole_start(FIRE)
    assert guard.sole_start(FIRE)


def test_the_store_of_the_engine_is_asked_where_none_is_plugged(brain, start, kept):
    asked = []
    handle, engine = start()
    engine.lease_store = lambda group, boottime: asked.append(group) or kept

    assert engine.emit.first_start(FIRE, mark(FIRE, 1))
    assert not engine.emit.first_start(FIRE, mark(FIRE, 2))

    assert asked == [f"{handle.settings.dsn.project}/toy/toyapp"]


def test_a_store_that_is_plugged_is_asked_instead_of_the_own(kept):
    other = Kept()
    guard = Guard(Counters(), os.urandom, lambda *_: None, lambda: kept)
    guard.first_start(FIRE, mark(FIRE, 1))

    guard.plug(lambda: other)

    assert guard.first_start(FIRE, mark(FIRE, 2))
    guard.plug(None)
    assert (kept.begun, other.begun) == ({FIRE: 1}, {FIRE: 2})


def test_a_store_is_reached_before_the_first_run_asks_for_it(guard, kept):
    eventually(lambda: kept.is_reached, "the store to be reached")

    assert kept.asked == 0


def test_a_worker_that_may_not_lead_asks_the_store_that_a_setting_names(brain, start, tmp_path):
    url = f"sqlite:///{tmp_path / 'leases.db'}"
    handle, engine = start(scheduler="off", lease_store=url)

    assert engine.emit.first_start(FIRE, mark(FIRE, 1))

    eventually(lambda: not engine.emit.first_start(FIRE, mark(FIRE, 2)), "the store to be asked")
    assert handle.settings.scheduler == "off"


@pytest.mark.parametrize("named", ["brain", "file"])
def test_where_nobody_keeps_starts_for_it_a_worker_lets_all_start(brain, start, named):
    _, engine = start(scheduler="off", lease_store=named)

    assert engine.emit.first_start(FIRE, mark(FIRE, 1))
    assert engine.emit.first_start(FIRE, mark(FIRE, 2))


def test_where_messages_carry_nothing_a_run_starts_once_until_its_engine_retries_it(guard):
    assert guard.sole_start(FIRE)
    assert not guard.sole_start(FIRE)

    guard.starts_again(FIRE)

    assert guard.sole_start(FIRE)
    assert not guard.sole_start(FIRE)


def test_an_id_that_is_no_fire_is_not_asked_about(guard, kept):
    assert guard.sole_start("7b1c7b1c-7b1c-4b1c-8b1c-7b1c7b1c7b1c")
    guard.starts_again("order-5")
    guard.note_start("order-5")

    assert kept.asked == 0


def test_a_store_that_does_not_answer_costs_one_wait_and_lets_all_start(guard, kept):
    kept.holds.clear()
    began = time.perf_counter()

    allowed = [guard.first_start(FIRE, mark(FIRE, 1)) for _ in range(200)]

    assert all(allowed)
    assert time.perf_counter() - began < 2
    assert guard._counters.guard_skipped == len(allowed)
    kept.holds.set()
    eventually(lambda: not guard.first_start(FIRE, mark(FIRE, 9)), "the store, which is back")


def test_a_copy_enqueued_in_doubt_waits_longer_for_a_slow_store(guard, kept):
    kept.holds.clear()
    assert guard.first_start(FIRE, mark(FIRE, 1))
    threading.Timer(1.0, kept.holds.set).start()

    assert not guard.first_start(FIRE, mark(FIRE, 2))

    assert guard.told == [(FIRE, 2)]


def test_who_does_not_wait_is_kept_as_begun_all_the_same(guard, kept):
    other = fire_id(SCHEDULE, 1, 120_000)
    kept.holds.clear()
    assert guard.first_start(FIRE, mark(FIRE, 1))
    assert guard.first_start(other, mark(other, 1))

    kept.holds.set()

    eventually(lambda: kept.begun == {FIRE: 1, other: 1}, "both starts to be kept")


def test_a_store_that_fails_lets_all_start_and_is_counted(guard, kept):
    kept.is_down = True

    assert guard.first_start(FIRE, mark(FIRE, 1))
    assert guard.sole_start(FIRE)

    assert guard._counters.guard_skipped == 2


def test_a_noted_start_is_kept_and_nobody_waits_for_it(guard, kept):
    kept.holds.clear()
    guard.note_start(FIRE)
    assert kept.begun == {}

    kept.holds.set()

    eventually(lambda: kept.begun == {FIRE: 1}, "the note")


def test_a_child_of_a_fork_asks_by_a_store_of_its_own(guard, kept):
    made = []
    guard.plug(lambda: made.append(os.getpid()) or kept)
    assert guard.first_start(FIRE, mark(FIRE, 1))

    child = os.fork()
    if not child:
        guard.forked()
        second = guard.first_start(FIRE, mark(FIRE, 2))
        os._exit(0 if not second and made == [os.getppid(), os.getpid()] else 1)

    assert os.waitpid(child, 0)[1] == 0


def test_a_dropped_copy_is_a_line_of_the_ledger(brain, start, kept):
    handle, engine = start()
    engine.emit.guard.plug(lambda: kept)
    assert engine.emit.first_start(FIRE, mark(FIRE, 1))

    assert not engine.emit.first_start(FIRE, mark(FIRE, 2))

    def lines():
        return [item for item in brain.store.items if isinstance(item, Fire)]

    brain.wait_for(lines, LONG_S)
    (line,) = lines()
    assert (line.fire_id.hex(), line.status, line.enq) == (FIRE.replace("-", ""), 9, 2)
    assert handle.status()["hook_errors"] == 0


def facts(brain, task_id, number):
    found = lambda: [task for task in brain.store.tasks if task.task_id == task_id]  # noqa: E731
    brain.wait_for(lambda: len(found()) >= number, LONG_S)
    return found()


def test_facts_of_a_run_say_which_fire_it_is(brain, start):
    _, engine = start()
    token = ORIGIN.set(Origin(3, schedule=SCHEDULE, fire_id=bytes(16), slot=60_000))
    engine.emit(TaskEvent(EventKind.ENQUEUED, "sent-here"))
    ORIGIN.reset(token)
    engine.emit(TaskEvent(EventKind.STARTED, FIRE, 1, fire=mark(FIRE, 2)))
    engine.emit(TaskEvent(EventKind.SUCCEEDED, FIRE, 1))

    (sent,) = facts(brain, "sent-here", 1)
    started, ended = facts(brain, FIRE, 2)

    assert (sent.via, sent.schedule, sent.fire_id, sent.slot) == (3, SCHEDULE, bytes(16), 60_000)
    assert (started.via, started.fire_id.hex()) == (3, FIRE.replace("-", ""))
    assert (ended.kind, ended.via) == (EventKind.SUCCEEDED, 0)


def test_a_mark_of_another_run_is_not_believed(brain, start):
    _, engine = start()

    engine.emit(TaskEvent(EventKind.ENQUEUED, "copied-headers", fire=mark(FIRE, 1)))

    assert facts(brain, "copied-headers", 1)[0].via == 1


def test_facts_of_a_run_say_which_schedule_of_the_engine_sent_it(brain, start):
    _, engine = start()

    engine.emit(TaskEvent(EventKind.ENQUEUED, "nightly-1", schedule="nightly"))

    (sent,) = facts(brain, "nightly-1", 1)
    assert (sent.via, sent.schedule, sent.fire_id) == (5, "nightly", None)
