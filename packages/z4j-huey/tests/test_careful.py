"""What happens once: ends of what a stopping consumer left, and revocations."""

import time

import huey_shop
import pytest
from huey import MemoryHuey
from z4j_core import EventKind
from z4j_huey.places import adapt
from z4j_testing.recorder import Recorder

pytestmark = pytest.mark.filterwarnings("default")
ENDS = {EventKind.SUCCEEDED, EventKind.FAILED, EventKind.CANCELLED, EventKind.RETRYING}


@pytest.fixture
def observed(tmp_path, monkeypatch):
    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    huey, emit = MemoryHuey(f"careful{time.time_ns()}"), Recorder()
    engine = adapt(huey)
    engine.attach(emit)
    huey_shop.made(huey)
    yield huey, engine, emit
    engine.detach()
    assert emit.hook_errors == []


def test_a_task_that_a_stopping_consumer_left_ends_once(observed):
    huey, _, emit = observed

    @huey.task()
    def stops_the_consumer():
        huey.notify_interrupted_tasks()
        return "and ends by itself"

    task = stops_the_consumer.s()
    huey.enqueue(task)
    huey.execute(huey.dequeue())

    ends = [(e.kind, e.detail) for e in emit.of(task.id) if e.kind in ENDS]
    assert ends == [(EventKind.CANCELLED, "interrupted")]


def test_a_revoked_id_may_be_used_again(observed):
    huey, engine, emit = observed
    kind = huey._registry._registry["huey_shop.ok"]
    task = kind((1,), id="twice")
    huey.enqueue(task)
    engine.cancel(task.id)
    assert huey.is_revoked(task)

    huey.execute(huey.dequeue())

    assert [event.kind for event in emit.of(task.id)][1:] == [EventKind.CANCELLED]
    assert not huey.is_revoked(task)
