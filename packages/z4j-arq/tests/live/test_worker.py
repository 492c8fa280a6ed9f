"""A worker that stops, dies, or is kept from its loop."""

import signal

import pytest
from arq_outside import RigOutside
from z4j_core import EventKind
from z4j_testing.services import redis_url

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip
BLOCKED_S = 6.0


@pytest.fixture
def rig(tmp_path):
    made = RigOutside(redis_url(9), tmp_path)
    try:
        yield made.start()
    finally:
        made.stop()


def test_a_worker_that_stops_puts_its_job_back_and_tells_all(rig):
    task_id = rig.send("slow", "stopped")
    rig.wait(task_id, EventKind.STARTED)

    assert rig.stop_worker(signal.SIGTERM) == 0

    retrying = rig.wait(task_id, EventKind.RETRYING, attempt=1)
    assert retrying.error_type == "CancelledError"
    rig.until(lambda: len(rig.states(3)) == 2, "that both workers of the process stopped", 30)
    rig.release("stopped")
    rig.start_worker()
    end = rig.end(task_id)
    assert (end.kind, end.attempt) == (EventKind.SUCCEEDED, 2)
    assert rig.hook_errors() == []


def test_what_a_killed_worker_had_started_starts_again(rig):
    task_id = rig.send("slow", "killed")
    first = rig.wait(task_id, EventKind.STARTED)
    rig.stop_worker(signal.SIGKILL)
    rig.release("killed")

    rig.connection.delete(f"arq:in-progress:{task_id}")  # as time would: after the longest timeout
    rig.start_worker()

    end = rig.end(task_id)
    assert (first.attempt, end.kind, end.attempt) == (1, EventKind.SUCCEEDED, 2)
    rig.wait(task_id, EventKind.STARTED, attempt=2)


def test_a_job_that_blocks_the_loop_does_not_stop_the_heartbeat(rig):
    task_id = rig.send("blocks", BLOCKED_S)
    rig.wait(task_id, EventKind.STARTED)

    shown = rig.worker_now()  # asked of its agent, after some heartbeats of both

    assert shown.running == (task_id,)
    assert EventKind.SUCCEEDED not in [seen.kind for seen in rig.of(task_id)]
    assert rig.end(task_id).runtime_s >= BLOCKED_S


def test_a_cancel_sent_before_a_worker_comes_up_holds(rig):
    rig.stop_worker()
    task_id = rig.send("echo", "never")

    rig.ask("cancel", [task_id], {"scope": 1}, "producer")
    rig.start_worker()

    assert rig.end(rig.send("ok", 1)).kind is EventKind.SUCCEEDED
    assert rig.end(task_id).kind is EventKind.CANCELLED
    assert rig.marks("echo") == []


def test_a_queue_paused_before_a_worker_starts_is_left_alone_until_it_is_resumed(rig):
    rig.stop_worker()
    waiting = [rig.send("ok", number) for number in range(3)]
    rig.brain.stand("pause", "arq", rig.engine.app, [rig.queue], {"again": True})

    rig.start_worker()

    rig.quiet()
    assert [seen.kind for each in waiting for seen in rig.of(each)] == [EventKind.ENQUEUED] * 3
    rig.ask("resume", [rig.queue])
    assert {rig.end(each).kind for each in waiting} == {EventKind.SUCCEEDED}
