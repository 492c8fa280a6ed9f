"""Queues of Dramatiq that are paused."""

import pytest
from dramatiq.message import Message
from z4j_core import (
    Capability,
    EventKind,
    Stop,
    Unsupported,
)
from z4j_core.engine import capabilities
from z4j_dramatiq.gated import Gated
from z4j_testing.recorder import Recorder
from z4j_testing.signals import eventually

pytestmark = pytest.mark.filterwarnings("default")


def test_what_was_taken_before_the_pause_is_held_back_and_returned_by_a_worker_that_stops(stand):
    stand.work(threads=1)
    busy = stand.send("slow", "busy")
    stand.began("busy")
    taken = [stand.send("ok", number) for number in range(2)]
    client = stand.broker.client
    eventually(lambda: stand.worker.work_queue.qsize() == 1, "that the worker has the next")

    stand.engine.pause(stand.queue)
    stand.emit.gate(stand.queue).close()
    stand.release("busy")
    stand.emit.end(busy)
    eventually(lambda: stand.worker.work_queue.qsize() == 0, "that it has looked at it")
    stand.rest()

    assert [EventKind.STARTED in stand.emit.kinds(each) for each in taken] == [False, False]
    assert [stand.ends(each) for each in taken] == [[], []]
    assert client.llen(stand.key()) == 2
    assert client.hlen(stand.key(".msgs")) == 2


def test_a_worker_that_starts_leaves_a_paused_queue_alone(stand):
    stand.emit.gate(stand.queue).close()
    task_id = stand.send("ok", 1)
    stand.work()
    assert [queue.paused for queue in stand.engine.queues()] == [True]

    stand.emit.gate(stand.queue).open()

    assert stand.emit.end(task_id).kind is EventKind.SUCCEEDED


def test_a_paused_consumer_takes_nothing_from_its_queue(stand):
    stand.emit.gate(stand.queue).close()
    stand.send("ok", 1)
    consumer = stand.broker.consume(stand.queue, timeout=10)

    assert next(consumer) is None

    assert stand.broker.client.llen(stand.key()) == 1
    consumer.close()


def test_what_needs_a_worker_is_offered_by_workers_alone(stand):
    offered = capabilities(stand.engine)

    assert Capability.CANCEL in offered
    assert not {Capability.PAUSE, Capability.RESUME, Capability.RESTART} & set(offered)
    with pytest.raises(Unsupported):
        stand.engine.pause(stand.queue)
    with pytest.raises(Unsupported):
        stand.engine.restart("nobody")
    assert stand.engine.cancel("no-such-id") is Stop.NOT_HERE
    stand.work()
    assert {Capability.PAUSE, Capability.RESUME} <= set(capabilities(stand.engine))


def test_what_is_held_back_is_not_lost_when_its_consumer_is_replaced_meanwhile():
    acknowledged, returned, held = [], [], set()

    class Consumer:
        def __next__(self):
            return None

        def ack(self, message):
            acknowledged.append(message)

        def requeue(self, messages):
            returned.extend(messages)

        def close(self):
            pass

    gate = Recorder().gate("q")
    first, second = (Gated(Consumer(), gate, lambda: gate.closed, held, 0.01) for _ in range(2))
    message = Message("q", "ok", (), {}, {})
    held.add(id(message))
    first.close()

    second.ack(message)

    assert (acknowledged, held) == ([], set())
    gate.close()
    assert next(second) is None
    gate.open()
    assert next(second) is message
    second.ack(message)
    assert acknowledged == [message]
    held.add(id(message))
    second.ack(message)
    second.close()
    assert returned == [message]
