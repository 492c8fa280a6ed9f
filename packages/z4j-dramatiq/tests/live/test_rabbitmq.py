"""What only RabbitMQ does: queues that are missing, letters that count, connections that rest."""

import time

import dramatiq_shop
import pytest
from dramatiq.message import Message
from dramatiq_outside import broker_url
from z4j_core import EngineUnavailable, EventKind, Job, TaskNotFound, Unsupported
from z4j_dramatiq import DramatiqEngine
from z4j_testing.recorder import Recorder
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default")]


@pytest.fixture
def queue():
    return f"z4j-only-{time.time_ns()}"


@pytest.fixture
def broker(queue):
    made, _ = dramatiq_shop.made(broker_url("rabbitmq"), queue)
    yield made
    del made.connection
    for end in ("", ".DQ", ".XQ"):
        made.channel.queue_delete(f"{queue}{end}")
    made.close()


@pytest.fixture
def observed(broker):
    engine, emit = DramatiqEngine(broker), Recorder()
    engine.attach(emit)
    yield engine, emit
    engine.detach()
    assert emit.hook_errors == []


def bury(broker, queue, count):
    """Dead letters, as a worker leaves them."""
    broker.declare_queue(queue, ensure=True)
    sent = [Message(queue, "ok", (number,), {}, {"retries": 3}) for number in range(count)]
    for message in sent:
        broker.channel.basic_publish("", f"{queue}.XQ", message.encode())
    return [message.message_id for message in sent]


def test_a_queue_that_is_not_there_is_not_found(observed, queue):
    engine, _ = observed

    with pytest.raises(TaskNotFound):
        engine.depth(queue)
    with pytest.raises(TaskNotFound):
        engine.purge(queue)


def test_a_queue_is_not_looked_into_for_that_would_mark_what_waits(observed, broker, queue):
    engine, _ = observed
    sent = engine.enqueue(Job("ok", (1,)))

    with pytest.raises(Unsupported):
        engine.peek(queue)

    taken, _, raw = broker.channel.basic_get(queue, auto_ack=True)
    assert Message.decode(raw).message_id == sent
    assert not taken.redelivered


def test_a_dead_letter_is_taken_from_between_others(observed, broker, queue):
    engine, emit = observed
    dead = bury(broker, queue, 5)
    eventually(lambda: engine.depth(queue).dead == 5, "the dead letters")

    assert engine.requeue(queue, dead[2]) == dead[2]

    left = [dead[0], dead[1], dead[3], dead[4]]
    assert [held.task_id for held in engine.dead_letters(queue).items] == left
    first = engine.dead_letters(queue, limit=3)
    second = engine.dead_letters(queue, limit=3, cursor=first.cursor)
    assert [held.task_id for held in (*first.items, *second.items)] == left
    assert second.cursor is None
    assert engine.depth(queue).ready == 1
    assert [(e.kind, e.attempt) for e in emit.of(dead[2])] == [(EventKind.REQUEUED, 1)]
    with pytest.raises(TaskNotFound):
        engine.requeue(queue, dead[2])
    assert engine.depth(queue).dead == 4


def test_a_dead_letter_queue_that_counts_is_left_alone(observed, broker, queue):
    engine, _ = observed
    broker.channel.queue_declare(f"{queue}.XQ", durable=True, arguments={"x-queue-type": "quorum"})
    broker.channel.basic_publish("", f"{queue}.XQ", Message(queue, "ok", (), {}, {}).encode())

    with pytest.raises(Unsupported):
        engine.dead_letters(queue)
    with pytest.raises(Unsupported):
        engine.requeue(queue, "whichever")


def test_a_priority_goes_with_the_message(observed, broker, queue):
    engine, emit = observed

    sent = engine.enqueue(Job("ok", (1,), priority=7))

    assert emit.wait(sent, EventKind.ENQUEUED).priority == 7
    _, properties, _ = broker.channel.basic_get(queue, auto_ack=True)
    assert properties.priority == 7


def test_a_verb_leaves_no_connection_behind(observed, broker, queue):
    engine, _ = observed
    before = len(broker.connections)

    engine.enqueue(Job("ok", (1,)))

    assert len(broker.connections) == before


def test_a_rabbitmq_that_does_not_answer_was_sent_nothing():
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    engine = DramatiqEngine(RabbitmqBroker(host="127.0.0.1", port=1))

    with pytest.raises(EngineUnavailable):
        engine.enqueue(Job("ok", (1,)))
    with pytest.raises(EngineUnavailable):
        engine.depth("default")
