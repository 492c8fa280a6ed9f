"""What taskiq says of tasks, and what it is sent."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
import taskiq_brokers
from taskiq import (
    Context,
    TaskiqDepends,
)
from z4j_core import Capability, Job, Native, Unsupported
from z4j_core.engine import capabilities
from z4j_taskiq.definitions import definition
from z4j_taskiq.message import attempt_of, decoded

pytestmark = pytest.mark.filterwarnings("default")
FOUND = TaskiqDepends()


def test_parameters_that_taskiq_finds_itself_are_not_shown():
    broker = taskiq_brokers.Parking("parking://params")

    async def both(a, one: Annotated[Context, TaskiqDepends()], b=2, two=FOUND):
        """What it does."""

    task = broker.register_task(both, task_name="both", queue_name="mail", timeout=3, priority=1)

    told = definition("both", task)

    assert [each.name for each in told.params] == ["a", "b"]
    assert (told.queue, told.timeout_s, told.priority, told.doc) == (
        "mail",
        3.0,
        1,
        "What it does.",
    )
    assert told.is_async


def test_an_attempt_is_numbered_by_retries_and_requeues():
    assert attempt_of({}) == 1
    assert attempt_of({"_retries": "2", "X-Taskiq-requeue": "1"}) == 4
    assert attempt_of({"_retries": "many"}) == 1


def test_what_is_no_message_is_refused(parking):
    _, engine, _ = parking

    with pytest.raises(Unsupported):
        decoded(Native("a.task", b"\x00"), engine._hooks[0].seam.loads)


def test_a_due_time_and_a_priority_are_refused_where_the_broker_ignores_them(parking):
    _, engine, _ = parking
    due = datetime.now(UTC).timestamp() + 9

    for job in (Job("a", eta=due), Job("a", priority=1), Job("a", expires=due)):
        with pytest.raises(Unsupported):
            engine.enqueue(job)


def test_what_needs_a_worker_is_offered_by_workers_alone(parking):
    _, engine, _ = parking

    offered = capabilities(engine)

    assert Capability.CANCEL in offered
    assert not {Capability.PAUSE, Capability.RESUME, Capability.RESTART} & set(offered)
