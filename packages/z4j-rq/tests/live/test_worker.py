"""A worker that forks: what it costs, what cannot be swallowed, what survives."""

import signal

import pytest
from rq_outside import RigOutside
from z4j_core import EventKind
from z4j_testing.services import redis_url

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
JOBS = 500


@pytest.fixture
def working(tmp_path):
    made = []

    def start(pool="fork"):
        rig = RigOutside(redis_url(8), pool, tmp_path)
        made.append(rig)
        return rig.start()

    yield start
    for rig in made:
        rig.stop()


def test_a_blocking_call_is_interrupted_and_the_worker_stops_with_all_told(working):
    rig = working()
    task_id = rig.send("deaf", "never")
    rig.wait(task_id, EventKind.STARTED)

    rig.cancel(task_id)

    assert rig.end(task_id).kind is EventKind.CANCELLED
    last = rig.send("ok", 1)
    rig.wait(last, EventKind.STARTED)
    assert rig.stop_worker(signal.SIGTERM) == 0
    assert rig.end(last).kind is EventKind.SUCCEEDED
    rig.until(lambda: rig.states(3), "that the worker stopped", 30)
    assert rig.hook_errors() == []


@pytest.mark.soak
def test_a_blocking_call_in_the_worker_itself_is_interrupted(working):
    rig = working("simple")
    task_id = rig.send("deaf", "never")
    rig.wait(task_id, EventKind.STARTED)

    rig.cancel(task_id)

    assert rig.end(task_id).kind is EventKind.CANCELLED
    assert rig.end(rig.send("ok", 1)).kind is EventKind.SUCCEEDED


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_five_hundred_horses_share_one_connection(working):
    rig = working()

    sent = [rig.send("ok", number) for number in range(JOBS)]

    for number, task_id in enumerate(sent):
        assert rig.end(task_id, timeout_s=300).result == {"sum": number + 2}
    workers = {each.pid for each in rig.brain.store.registers if each.role == "worker"}
    assert len(workers) == 1
    assert len(rig.brain.links) == 2  # the worker's and the producer's
    pids = {rig.end(task_id).pid for task_id in sent}
    assert len(pids) == JOBS
