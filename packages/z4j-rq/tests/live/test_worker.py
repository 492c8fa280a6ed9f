"""A worker that forks: what cannot be swallowed, what survives."""

import signal

import pytest
from rq_outside import RigOutside
from z4j_core import EventKind
from z4j_testing.services import redis_url

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip


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
