"""A consumer as its users have it: what it tells when it stops, dies, forks or waits."""

import signal

import pytest
from huey_outside import RigOutside
from z4j_core import Capability, EventKind
from z4j_testing.services import redis_url

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
POOLS = ("thread", "process", "greenlet")


@pytest.fixture
def working(tmp_path):
    made = []

    def start(pool="thread", **more):
        rig = RigOutside("redis", pool, redis_url(8), tmp_path, **more)
        made.append(rig)
        return rig.start()

    yield start
    for rig in made:
        rig.stop()


def pool(name):
    return pytest.param(name, marks=[pytest.mark.soak] if name == "greenlet" else [])


@pytest.mark.parametrize("pool", [pool(each) for each in POOLS])
def test_a_consumer_told_to_stop_ends_what_it_runs(working, pool):
    rig = working(pool)
    token = "last"
    running = rig.send("slow", token)
    rig.wait(running, EventKind.STARTED)

    rig.worker.send_signal(signal.SIGINT)
    rig.release(token)

    assert rig.stop_worker(signal.SIGCONT) == 0  # nothing more is asked of it
    assert rig.end(running).kind is EventKind.SUCCEEDED
    rig.until(lambda: rig.states(3), "that the worker stopped", 30)
    assert rig.hook_errors() == []


@pytest.mark.parametrize("pool", [pool(each) for each in POOLS])
def test_a_consumer_told_to_stop_at_once_says_what_it_left(working, pool):
    rig = working(pool)
    running = rig.send("slow", "never")
    rig.wait(running, EventKind.STARTED)

    assert rig.stop_worker(signal.SIGTERM) == 0

    end = rig.end(running)
    assert (end.kind, end.detail) == (EventKind.CANCELLED, "interrupted")
    rig.until(lambda: rig.states(3), "that the worker stopped", 30)
    rig.start_worker()
    again = rig.retry(running)
    rig.release("never")
    assert rig.end(again).kind is EventKind.SUCCEEDED
    assert rig.hook_errors() == []


@pytest.mark.parametrize("pool", [pool(each) for each in POOLS])
def test_a_consumer_that_is_killed_has_told_what_it_began(working, pool):
    rig = working(pool)
    done, running = rig.send("ok", 1), rig.send("slow", "never")
    rig.wait(running, EventKind.STARTED)

    rig.stop_worker(signal.SIGKILL)

    assert rig.end(done).kind is EventKind.SUCCEEDED
    rig.start_worker()
    assert rig.end(rig.send("ok", 1)).kind is EventKind.SUCCEEDED
    assert {seen.kind for seen in rig.of(running)} == {EventKind.ENQUEUED, EventKind.STARTED}


@pytest.mark.parametrize("verb", [Capability.CANCEL, Capability.TERMINATE])
def test_a_blocking_call_of_a_child_is_interrupted(working, verb):
    rig = working("process")
    task_id = rig.send("deaf", "never")
    rig.wait(task_id, EventKind.STARTED)

    rig.cancel(task_id) if verb is Capability.CANCEL else rig.verb(verb, task_id=task_id)

    end = rig.end(task_id)
    assert (end.kind, end.detail) == (EventKind.CANCELLED, "operator")
    after = rig.end(rig.send("ok", 1))
    assert (after.kind, after.pid) == (EventKind.SUCCEEDED, end.pid)
    assert rig.marks("finally") == ["never"]


def test_each_child_is_a_worker_of_its_own(working):
    rig = working("process", options=("-w", "2"))
    rig.until(lambda: len(rig.states(1)) == 2, "two workers", 30)
    tokens = ("one", "two")

    ids = [rig.send("slow", token) for token in tokens]

    workers = {rig.wait(each, EventKind.STARTED).worker for each in ids}
    assert workers == {state.worker for state in rig.states(1)}
    for token in tokens:
        rig.release(token)
    assert {rig.end(each).kind for each in ids} == {EventKind.SUCCEEDED}


def test_the_process_of_the_scheduler_tells_what_is_due(working):
    rig = working("process")
    task_id = rig.send("ok", 1, delay_s=1.0)

    assert rig.end(task_id).kind is EventKind.SUCCEEDED

    rig.wait(task_id, EventKind.ENQUEUED)  # who sent it told that it is put off
    rig.wait(task_id, EventKind.SCHEDULED)


@pytest.mark.soak
def test_greenlets_share_a_process_and_may_run_a_loop(working):
    rig = working("greenlet", options=("-w", "20"))
    ids = [rig.send("slow", "all") for _ in range(20)]
    for each in ids:
        rig.wait(each, EventKind.STARTED)

    rig.cancel(ids[0])

    assert rig.end(ids[0]).kind is EventKind.CANCELLED
    rig.release("all")
    assert {rig.end(each).kind for each in ids[1:]} == {EventKind.SUCCEEDED}
    assert rig.end(rig.send("looped")).result == "looped"
    assert len({rig.end(each).pid for each in ids}) == 1
