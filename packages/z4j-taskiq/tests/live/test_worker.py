"""A worker of taskiq's command line: how it stops, who follows it, what blocks it."""

import os
import signal
import time

import pytest
import taskiq_brokers
from taskiq_outside import RigOutside
from z4j_core import EventKind

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
MANY = 300


@pytest.fixture
def working(tmp_path):
    made = []

    def start(cell="redis-list", **more):
        rig = RigOutside(cell, taskiq_brokers.url_of(cell), tmp_path, **more)
        made.append(rig)
        return rig.start()

    yield start
    for rig in made:
        rig.stop()


def test_a_worker_that_stops_has_told_all(working):
    rig = working()
    last = rig.send("pause", 0.5)
    rig.wait(last, EventKind.STARTED)

    rig.stop_worker(signal.SIGTERM)

    assert rig.end(last).kind is EventKind.SUCCEEDED
    rig.until(lambda: rig.states(3), "that the worker stopped", 30)
    assert rig.hook_errors() == []


def test_a_child_that_was_killed_is_followed_by_one_that_reports(working):
    rig = working()
    first, seen = rig.end(rig.send("ok", 1)).pid, len(rig.states(1))

    os.kill(first, signal.SIGKILL)

    rig.until(lambda: len(rig.states(1)) > seen, "the next child", 30)
    assert rig.end(rig.send("ok", 1)).pid != first


@pytest.mark.soak
def test_queues_can_be_asked_for_while_a_task_blocks_the_loop(working):
    rig = working()
    rig.send("deaf", 3.0)
    rig.until(lambda: rig.marks("deaf"), "the task that blocks", 30)

    begun = time.monotonic()
    depth = rig.ask("depth", [rig.queue], role="worker").evidence["0"]

    assert depth["ready"] == 0
    assert time.monotonic() - begun < 2.5


@pytest.mark.soak
def test_many_runs_come_through_one_connection(working):
    rig = working()

    sent = [rig.send("ok", number) for number in range(MANY)]

    for number, task_id in enumerate(sent):
        assert rig.end(task_id, timeout_s=120).result == {"sum": number + 2}
    assert len(rig.brain.links) == 2  # the worker's and the producer's
