"""Brokers of Dramatiq, and who else uses them."""

import threading

import dramatiq
import dramatiq_shop
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from z4j_core import (
    Capability,
    Job,
    TaskNotFound,
    Unsupported,
)
from z4j_dramatiq import DramatiqEngine, adapt, detect
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")


def test_a_broker_in_memory_is_observed_and_cannot_be_looked_into(stands):
    stand = stands(StubBroker())
    task_id = stand.work().send("ok", 1)

    assert stand.emit.end(task_id).result == {"sum": 3}
    assert stand.engine.unavailable[Capability.DEPTH] == "broker"
    for look in (stand.engine.depth, stand.engine.purge, stand.engine.peek):
        with pytest.raises(Unsupported):
            look(stand.queue)
    with pytest.raises(TaskNotFound):
        stand.engine.enqueue(Job("ok", (1,), queue="nowhere"))
    assert stand.engine.replay_store() is None


def test_a_namespace_is_a_broker_of_its_own():
    url = redis_url(9)
    one, same, other, elsewhere = (
        DramatiqEngine(RedisBroker(url=url)),
        DramatiqEngine(RedisBroker(url=url.replace("127.0.0.1", "localhost"))),
        DramatiqEngine(RedisBroker(url=url, namespace="shop")),
        DramatiqEngine(RedisBroker(url=redis_url(10))),
    )

    assert one.app == same.app
    assert len({one.app, other.app, elsewhere.app}) == 3
    for engine in (one, same, other, elsewhere):
        engine.close()


def test_virtual_hosts_of_rabbitmq_are_brokers_of_their_own():
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    one, same, other = (
        DramatiqEngine(RabbitmqBroker(url="amqp://me:secret@127.0.0.1:5672/%2F")),
        DramatiqEngine(RabbitmqBroker(host="localhost")),
        DramatiqEngine(RabbitmqBroker(url=["amqp://localhost/shop", "amqp://other/shop"])),
    )

    assert one.app == same.app != other.app
    assert one.unavailable[Capability.PEEK] == "broker"
    with pytest.raises(Unsupported) as refused:
        one.enqueue(Job("ok", priority=1))
    assert refused.value.reason == "config"


def test_a_broker_made_later_is_reported_once_it_is_complete():
    found = []
    detect(None, lambda engine: found.append((engine.broker, engine.app)))
    before = len(found)

    class Mine(StubBroker):
        def __init__(self):
            super().__init__()
            self.is_complete = True

    broker = Mine()

    assert [each for each, _ in found[before:]] == [broker]
    assert broker.is_complete
    assert adapt(broker).broker is broker


def test_who_else_wraps_a_broker_takes_nothing_from_us():
    found = []
    detect(None, found.append)

    class Wrapped(StubBroker):
        def __init__(self):
            super().__init__()

    ours = Wrapped.__init__

    def theirs(self):
        ours(self)

    theirs.__wrapped__ = ours
    Wrapped.__init__ = theirs
    broker = Wrapped()

    assert [engine.broker for engine in found if engine.broker is broker] == [broker]


def test_the_last_engine_leaves_the_class_of_actors_as_it_was():
    before = dramatiq.Actor.__call__
    one, two = DramatiqEngine(StubBroker()), DramatiqEngine(StubBroker())

    one.attach(Recorder())
    two.attach(Recorder())
    one.detach()
    assert hasattr(dramatiq.Actor.__call__, "__wrapped__")
    two.detach()

    assert dramatiq.Actor.__call__ is before


def test_a_task_has_the_limits_its_actor_leaves_to_middleware():
    broker = StubBroker()

    class Model(dramatiq.GenericActor):
        class Meta:
            broker = None
            queue_name = "models"
            abstract = True

        def perform(self, number, *, times=1):
            """Work on it."""

    own = type("Own", (Model,), {"Meta": type("Meta", (), {"broker": broker, "max_retries": 2})})
    dramatiq.actor(broker=broker, priority=5)(dramatiq_shop.ok)

    found = {task.name: task for task in DramatiqEngine(broker).discover()}

    assert (found["ok"].max_retries, found["ok"].timeout_s, found["ok"].priority) == (20, 600, 5)
    assert found["Own"].max_retries == 2
    assert [each.name for each in found["Own"].params] == ["number", "times"]
    assert own.__name__ == "Own"


def test_a_worker_describes_itself(stand):
    stand.work(threads=3)
    stand.send("slow", "shown")
    stand.began("shown")

    (worker,) = stand.engine.workers()

    stand.release("shown")
    assert (worker.slots, worker.busy, worker.pool) == (3, 1, "threads")
    assert worker.queues == (stand.queue,)
    assert threading.active_count() > 3
