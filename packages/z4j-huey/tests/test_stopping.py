"""Tasks of Huey that are stopped while they run."""

import threading

import huey_shop
import pytest
from huey import CancelExecution
from huey_bench import E, S
from z4j_core import (
    Capability,
    EventKind,
    Stop,
    TaskNotFound,
    capabilities,
)
from z4j_huey.live import Cancelled, Interrupted, Live
from z4j_testing.signals import WAIT_S, eventually

pytestmark = pytest.mark.filterwarnings("default")


def test_a_task_that_catches_exceptions_is_cancelled_all_the_same(bench):
    task = bench.tasks["swallows"].s("never")
    bench.huey.enqueue(task)
    worker = threading.Thread(target=bench.work)
    worker.start()
    eventually((huey_shop.folder() / "began.jsonl").exists, "the task")

    assert bench.engine.cancel(task.id) is Stop.ASKED

    worker.join(WAIT_S)
    assert (bench.end(task).kind, bench.end(task).detail) == (EventKind.CANCELLED, "operator")
    assert bench.engine.cancel(task.id) is Stop.ALREADY


def test_a_task_that_is_cancelled_before_its_code_begins_never_does(bench):
    ran = []
    task = bench.task(lambda: ran.append(1), name="late").s()

    @bench.huey.pre_execute("mine")
    def stop(_):
        bench.engine.cancel(task.id)

    assert bench.run(task) == [E, S, EventKind.CANCELLED]
    assert ran == []


def test_a_task_cancelled_after_huey_looked_does_not_begin(bench):
    ran = []
    task = bench.task(lambda: ran.append(1), name="overtaken").s()
    bench.emit.tombstones().add(task.id)

    assert bench.run(task) == [E, S, EventKind.CANCELLED]
    assert (ran, bench.end(task).detail) == ([], "operator")


def test_an_interrupt_of_a_task_that_has_left_says_so(bench):
    live = Live(bench.tasks["ok"].s(1))
    live.run()

    assert not live.interrupt(bench.emit.interrupt, Interrupted, None)


def test_a_cancelled_task_is_not_retried_in_any_version():
    error = Cancelled()

    assert isinstance(error, CancelExecution)
    assert (error.retry, str(error)) == (False, "cancelled by an operator")


def test_what_takes_a_worker_is_offered_by_workers_alone(bench):
    offered = set(capabilities(bench.engine))

    assert {Capability.CANCEL, Capability.ENQUEUE, Capability.RETRY} <= offered
    assert not {Capability.PAUSE, Capability.TERMINATE, Capability.POOL} & offered
    assert bench.engine.terminate("none") is Stop.NOT_HERE
    with pytest.raises(TaskNotFound):
        bench.engine.restart("nobody")
