"""Which process may lead a group, and which schedules it holds."""

from __future__ import annotations

import os
import signal

import pytest
from agent_script import script
from homes import schedule
from z4j_core import Worker
from z4j_core.agent.policy import parse_policy
from z4j_core.errors import StoreUnavailable
from z4j_core.scheduler.leases.calls import Op
from z4j_core.scheduler.snapshot import pages, sealed_for
from z4j_core.wire import RecordType
from z4j_core.wire.items import Note
from z4j_testing.signals import eventually

GROUP = ("toy", "toyapp")
ONE = "018f0000-0000-7000-8000-000000000001"
TWO = "018f0000-0000-7000-8000-000000000002"


@pytest.fixture(autouse=True)
def nobody_fires(monkeypatch):
    """Here it matters who holds which schedules; whoever may fire them does nothing."""

    class Idle:
        """Serves nothing."""

        def __init__(self, leads):
            self.leads = leads

        def note(self, body):
            pass

        def stop(self, timeout_s):
            pass

    monkeypatch.setattr("z4j_core.agent.agent.open_host", lambda home, leads: Idle(leads))


def worker(start, **settings):
    handle, engine = start(**settings)
    engine.emit.worker_up(Worker("w1"))
    return handle


def said(brain):
    """The groups of the first agent, as it said last."""
    return [group for link in brain.links for group in link.groups]


def candidates(brain):
    return [group.candidate for group in said(brain)]


def shelf_of(handle):
    return handle.process.groups.standings[0].shelf


def held(handle):
    return handle.process.groups.standings and shelf_of(handle).stand


def until(found):
    eventually(found, "the schedules to be there")


def die(process):
    """SIGKILL; its children, if any, live on."""
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def notes(brain):
    return [item.code for item in brain.store.items if isinstance(item, Note)]


def test_a_worker_may_lead_the_group_of_its_engine(brain, start):
    worker(start)

    brain.wait_for(lambda: candidates(brain) == [True])
    assert [tuple(group) for group in said(brain)] == [(*GROUP, True, 0, 0)]


@pytest.mark.parametrize("given", [{"scheduler": "off"}, {"allow": "observe"}])
def test_who_may_not_fire_may_not_lead(brain, start, given):
    worker(start, **given)

    brain.wait_for(lambda: candidates(brain) == [False])


def test_one_task_that_may_be_fired_is_enough(brain, start):
    worker(start, allow="observe,shop.report=control")

    brain.wait_for(lambda: candidates(brain) == [True])


def test_what_is_told_of_a_group_names_it_and_says_when_it_is_over(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: handle.process.groups.standings)
    groups = handle.process.groups
    say = groups._home(groups.standings[0]).note

    say("Z4J-E301", "of another broker")
    say("Z4J-E301", "of this broker", is_over=True)

    brain.wait_for(lambda: len(notes(brain)) == 2)
    told = [item for item in brain.store.items if isinstance(item, Note)]
    assert [(note.level, note.engine, note.app) for note in told] == [(30, *GROUP), (20, *GROUP)]


def test_a_command_that_is_soon_over_does_not_lead(brain, start):
    handle, _ = start()
    handle.process.begin()

    brain.wait_for(lambda: candidates(brain) == [False])
    assert "younger than 30 s" in handle.process.groups.objection


def test_a_process_that_exists_for_it_leads_at_once(brain, start):
    start(scheduler="only")

    brain.wait_for(lambda: candidates(brain) == [True])


def test_of_two_processes_on_a_host_one_may_lead_and_the_other_when_that_is_dead(brain, tmp_path):
    body = "engine.emit.worker_up(Worker('w1'))\nprint('up', flush=True)\nsys.stdin.read()"
    first = script(brain, tmp_path, body)
    first.stdout.readline()
    brain.wait_for(lambda: candidates(brain) == [True], 20)
    second = script(brain, tmp_path, body)
    second.stdout.readline()
    brain.wait_for(lambda: sorted(candidates(brain)) == [False, True], 20)

    die(first)

    brain.wait_for(lambda: candidates(brain) == [True], 20)
    die(second)


def test_a_child_that_outlives_its_parent_does_not_keep_the_seat(brain, tmp_path):
    first = script(
        brain,
        tmp_path,
        """
        engine.emit.worker_up(Worker('w1'))
        while not any(s.is_candidate for s in handle.process.groups.standings):
            handle.process.groups.look()
        child = os.fork()
        if not child:
            signal.pause()
        print(child, flush=True)
        sys.stdin.read()
        """,
    )
    child = int(first.stdout.readline())
    die(first)
    try:
        second = script(
            brain,
            tmp_path,
            "engine.emit.worker_up(Worker('w1'))\nprint('up', flush=True)\nsys.stdin.read()",
        )
        brain.wait_for(lambda: candidates(brain) == [True], 20)
        die(second)
    finally:
        os.kill(child, signal.SIGKILL)


def test_an_edit_arrives_and_is_kept_for_the_next_process(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.publish(*GROUP, {ONE: b"one"})
    until(lambda: held(handle) == (1, 1))
    brain.publish(*GROUP, {ONE: b"one", TWO: b"two"})
    until(lambda: held(handle) == (1, 2))
    brain.wait_for(lambda: [group.revision for group in said(brain)] == [2])

    handle.close()
    brain.stop()
    again = worker(start)

    until(lambda: held(again) == (1, 2))
    assert sorted(shelf_of(again).held.schedules.values()) == [b"one", b"two"]


def test_who_comes_up_asks_for_what_it_does_not_have(brain, start):
    brain.publish(*GROUP, {ONE: b"one"})

    handle = worker(start)

    until(lambda: held(handle) == (1, 1))


def test_a_change_since_a_revision_that_is_not_held_asks_for_all(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.schedules.publish(*GROUP, {ONE: b"one"})
    before = brain.schedules.groups[GROUP]
    change = brain.schedules.publish(*GROUP, {ONE: b"one", TWO: b"two"})

    for page in change.pages_for(*before.stand):
        brain.links[0].send(RecordType.SCHEDULES, page)

    until(lambda: held(handle) == (1, 2))
    assert len(shelf_of(handle).held.schedules) == 2


def test_s10_what_was_not_sealed_by_our_brain_is_ignored_and_told(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.publish(*GROUP, {ONE: b"one"})
    until(lambda: held(handle) == (1, 1))

    forged = brain.schedules.next(*GROUP, {ONE: b"evil"})
    forged = forged._replace(seals=dict.fromkeys(forged.seals, bytes(32)))
    for page in pages(forged):
        brain.links[0].send(RecordType.SCHEDULES, page)

    brain.wait_for(lambda: "Z4J-E304" in notes(brain))
    assert held(handle) == (1, 1)
    assert list(shelf_of(handle).held.schedules.values()) == [b"one"]


def test_s10_a_file_that_was_edited_is_ignored_and_told(brain, start, tmp_path):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.publish(*GROUP, {ONE: b"one"})
    until(lambda: held(handle) == (1, 1))
    handle.close()
    (file,) = (tmp_path / "spool").glob("*/sched/*.bin")
    file.write_bytes(file.read_bytes().replace(b"one", b"two"))
    brain.schedules.groups.clear()

    again = worker(start)

    brain.wait_for(lambda: "Z4J-E304" in notes(brain))
    assert held(again) == (0, 0)


def test_a_brain_that_was_restored_is_newer_and_an_older_one_is_refused(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    for _ in range(3):
        brain.publish(*GROUP, {ONE: b"one"})
    until(lambda: held(handle) == (1, 3))

    brain.schedules.era = 2
    brain.publish(*GROUP, {TWO: b"restored"})
    until(lambda: held(handle) == (2, 1))
    brain.schedules.era = 1
    brain.publish(*GROUP, {ONE: b"old"})
    brain.schedules.era = 2
    brain.publish(*GROUP, {TWO: b"newest"})

    until(lambda: shelf_of(handle).count == 1 and held(handle)[0] == 2)
    assert b"old" not in shelf_of(handle).held.schedules.values()


def test_a_key_that_is_not_among_the_seals_proves_nothing(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    stranger = brain.schedules.next(*GROUP, {ONE: b"one"})

    for page in pages(sealed_for(stranger, [])):
        brain.links[0].send(RecordType.SCHEDULES, page)

    brain.wait_for(lambda: "Z4J-E304" in notes(brain))
    assert held(handle) == (0, 0)


def test_the_brain_is_asked_as_a_lease_store_by_any_thread(brain, start):
    class Nothing:
        def cursors(self):
            return {}

    brain.schedules.store_of = lambda group: Nothing()
    handle = worker(start)
    brain.wait_for_agent()
    errands = handle.process.errands
    until(lambda: errands.is_open)

    answer = errands.ask(*GROUP, Op.CURSORS, [None])

    assert (answer.status, list(answer.values)) == (0, [[], None])


def test_what_is_asked_while_the_brain_goes_away_fails_in_time(brain, start):
    handle = worker(start)
    brain.wait_for_agent()
    errands = handle.process.errands
    until(lambda: errands.is_open)
    brain.knobs.deaf = True

    with pytest.raises(StoreUnavailable):
        errands.ask(*GROUP, Op.CURSORS, [None])
    brain.stop()
    until(lambda: not errands.is_open)
    with pytest.raises(StoreUnavailable, match="away"):
        errands.ask(*GROUP, Op.CURSORS, [None])


def leads(handle):
    """Whether each group of a process is led from there; None where it is not served at all."""
    hosts = [standing.host for standing in handle.process.groups.standings]
    return [host and host.leads for host in hosts]


def test_a_group_is_served_as_long_as_it_has_schedules(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    assert leads(handle) == [None]

    brain.publish(*GROUP, schedule(1))
    until(lambda: leads(handle) == [True])
    brain.publish(*GROUP, {})

    until(lambda: leads(handle) == [None])


def test_a_group_that_moves_to_another_store_is_not_led_meanwhile(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.publish(*GROUP, schedule(1))
    until(lambda: leads(handle) == [True])

    brain.publish(*GROUP, schedule(1), store={"kind": "none"})
    until(lambda: leads(handle) == [None])
    brain.publish(*GROUP, schedule(1))

    until(lambda: leads(handle) == [True])


@pytest.mark.parametrize("store", [{"kind": "brain", "mode": "central"}, {"mode": "central"}])
def test_a_group_that_a_scheduler_fires_is_not_led_from_here(brain, start, store):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.publish(*GROUP, schedule(1), store=store)
    until(lambda: held(handle) > (0, 0))

    assert leads(handle) == [None]
    assert handle.process.groups.standings[0].emitter.guard.is_plugged is False


def test_a_group_whose_store_is_another_one_is_led_from_there(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.publish(*GROUP, schedule(1))
    until(lambda: leads(handle) == [True])
    before = handle.process.groups.standings[0].host

    brain.publish(*GROUP, schedule(1), store={"kind": "brain", "mode": "agents"})

    until(lambda: leads(handle) == [True] and handle.process.groups.standings[0].host is not before)


@pytest.mark.parametrize("limit_s", [3_600, 0])
def test_schedules_a_silent_brain_has_not_confirmed_are_believed_as_long_as_was_said(
    brain, start, tmp_path, limit_s
):
    handle = worker(start, schedule_max_stale_s=limit_s)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.publish(*GROUP, schedule(1))
    until(lambda: leads(handle) == [True])

    brain.stop()
    until(lambda: not handle.process.is_connected)
    for file in (tmp_path / "spool").glob("*/sched/*"):
        if file.suffix in {".bin", ".heard"}:
            os.utime(file, (1_000_000_000, 1_000_000_000))
    handle.process.groups.look()

    assert leads(handle) == [None if limit_s else True]
    brain.start()
    until(lambda: leads(handle) == [True])


def test_a_worker_that_may_not_lead_tells_of_runs_that_a_schedule_needs_to_know(brain, start):
    handle = worker(start)
    brain.wait_for(lambda: candidates(brain) == [True])
    brain.publish(*GROUP, schedule(1, overlap="skip"))
    until(lambda: leads(handle) == [True])

    handle.process.groups.arm(parse_policy("observe"), handle.process.groups._open)

    until(lambda: leads(handle) == [False])
