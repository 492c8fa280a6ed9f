"""Workers with a life: several processes, stops, deaths, what was ordered while there was none."""

import signal

import pytest
from dramatiq_outside import RigOutside, broker_url
from z4j_core import Capability, EventKind, TaskFlag
from z4j_core.model.tasks import ENDS
from z4j_testing.signals import eventually

pytestmark = [
    pytest.mark.live, pytest.mark.timeout(240), pytest.mark.filterwarnings("default"),
]  # fmt: skip


BOTH = pytest.mark.parametrize("working", ["redis", "rabbitmq"], indirect=True)


@pytest.fixture(params=["redis", pytest.param("rabbitmq", marks=pytest.mark.soak)])
def working(request, tmp_path):
    made = []

    def start(pool="threads", **options):
        rig = RigOutside(broker_url(request.param), pool, tmp_path, **options)
        made.append(rig)
        return rig.start()

    yield start
    for rig in made:
        rig.stop()


def ends(rig, task_id):
    return [seen.kind for seen in rig.of(task_id) if seen.kind in ENDS]


def test_what_was_cancelled_and_paused_while_no_worker_was_there_does_not_start(working):
    rig = working()
    assert rig.stop_worker() == 0
    rig.until(lambda: rig.states(3), "that the worker stopped", 30)
    waiting, cancelled = rig.send("ok", 1), rig.send("ok", 2)
    rig.brain.stand("cancel", "dramatiq", rig.engine.app, [cancelled], {"scope": 2})
    rig.brain.stand("pause", "dramatiq", rig.engine.app, [rig.queue], {"again": True})

    rig.start_worker()

    rig.quiet()
    assert ends(rig, waiting) == []
    rig.verb(Capability.RESUME, queue=rig.queue)
    assert rig.end(cancelled).kind is EventKind.CANCELLED
    assert rig.end(waiting).kind is EventKind.SUCCEEDED


def test_a_worker_that_stops_lets_its_tasks_end_and_tells_all(working):
    rig = working()
    token = f"{rig.queue}-last"
    last = rig.send("slow", token)
    eventually(lambda: token in rig.marks("began"), "the task")
    rig.worker.send_signal(signal.SIGTERM)
    rig.release(token)

    assert rig.worker.wait(40) == 0
    rig.log.close()

    assert rig.end(last).kind is EventKind.SUCCEEDED
    rig.until(lambda: rig.states(3), "that the worker stopped", 30)
    assert rig.hook_errors() == []


def test_each_process_is_a_worker_of_its_own(working):
    rig = working(processes=2, env={"dramatiq_queue_prefetch": "2"})
    rig.until(lambda: len(rig.states(1)) == 2, "both workers", 30)

    busy = [rig.send("slow", f"{rig.queue}-{n}") for n in range(4)]

    pids = {rig.wait(task_id, EventKind.STARTED).pid for task_id in busy}
    for number in range(4):
        rig.release(f"{rig.queue}-{number}")
    assert {rig.end(task_id).pid for task_id in busy} == pids
    assert len({state.worker for state in rig.states(1)}) == 2
    assert len(pids) == 2


def test_processes_that_are_new_interpreters_are_workers_as_well(working):
    rig = working(options=["--use-spawn"])
    worker = rig.worker_now()

    rig.verb(Capability.RESTART, worker_id=worker.id)

    rig.until(lambda: len(rig.states(1)) == 2, "the next worker", 40)
    end = rig.end(rig.send("ok", 1))
    assert end.kind is EventKind.SUCCEEDED
    assert end.worker == rig.worker_now().id != worker.id


@BOTH
def test_what_a_killed_worker_had_is_processed_again_with_its_old_number(working):
    rig = working(env={"RIG_QUICK": "1"})  # how soon Redis takes a worker for dead
    token = f"{rig.queue}-killed"
    task_id = rig.send("slow", token)
    rig.wait(task_id, EventKind.STARTED)
    rig.stop_worker(signal.SIGKILL)
    rig.release(token)

    rig.start_worker()

    assert rig.end(task_id).kind is EventKind.SUCCEEDED
    started = [seen.attempt for seen in rig.of(task_id) if seen.kind is EventKind.STARTED]
    assert started == [1, 1]
    if rig.broker == "rabbitmq":  # Redis does not say so
        assert TaskFlag.REDELIVERED in {task.flags for task in rig.brain.store.tasks}


@BOTH
def test_a_paused_worker_keeps_its_connection_and_what_it_runs(working):
    """Dramatiq's own pause closes the consumer, and RabbitMQ hands out again what still runs."""
    rig = working()
    token = f"{rig.queue}-on"
    running = rig.send("slow", token)
    rig.wait(running, EventKind.STARTED)
    rig.verb(Capability.PAUSE, queue=rig.queue)
    held = [rig.send("ok", number) for number in range(3)]
    rig.quiet()
    rig.release(token)

    assert rig.end(running).kind is EventKind.SUCCEEDED

    rig.verb(Capability.RESUME, queue=rig.queue)
    assert {rig.end(task_id).kind for task_id in held} == {EventKind.SUCCEEDED}
    for task_id in (running, *held):
        started = [seen for seen in rig.of(task_id) if seen.kind is EventKind.STARTED]
        assert len(started) == 1
