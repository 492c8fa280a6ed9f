"""Brokers of taskiq: late, shared, in memory."""

import time

import pytest
import taskiq_brokers
from taskiq import (
    AsyncBroker,
    InMemoryBroker,
)
from taskiq.brokers.shared_broker import AsyncSharedBroker
from taskiq_aio_pika import AioPikaBroker
from taskiq_parking import E, Last, S, failing, run, sent, work
from z4j_core import Capability, EventKind, Job, TaskFlag, Unsupported
from z4j_taskiq import TaskiqEngine, places
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")


def test_a_broker_made_later_is_found_when_it_is_complete():
    class Made(taskiq_brokers.Parking):
        def __init__(self, url):
            super().__init__("not this one")
            self.url = url

    found = []
    places.detect(None, found.append)
    url = f"parking://late-{time.time_ns()}"

    broker = Made(url)

    assert [engine.stores[0].broker for engine in found if engine.stores[0].broker is broker]
    assert places.adapt(broker) in found
    places._listeners.remove(found.append)


def test_brokers_of_one_database_are_one_engine():
    url = redis_url(9)
    one = taskiq_brokers.make("redis-list", url, "one")
    two = taskiq_brokers.make("redis-stream", url, "two")

    engine = places.adapt(one)

    assert places.adapt(two) is engine
    assert {"one", "two"} <= {name for store in engine.stores for name in store.queues}


def test_a_shared_broker_is_no_place_and_its_tasks_belong_to_all(parking):
    _, engine, _ = parking
    found = []
    places.detect(None, found.append)

    shared = AsyncSharedBroker()
    shared.register_task(failing, task_name="shared.task")

    assert not [each for each in found if any(s.broker is shared for s in each.stores)]
    assert "shared.task" in [task.name for task in engine.discover()]
    AsyncBroker.global_task_registry.pop("shared.task")
    places._listeners.remove(found.append)


def test_what_the_app_adds_later_comes_between_our_middlewares(parking):
    broker, _, _ = parking
    broker.with_middlewares(Last())

    run(broker.startup())

    names = [type(each).__name__ for each in broker.middlewares]
    assert names == ["First", "Last", "Last"]
    assert type(broker.middlewares[1]) is Last


def test_another_formatter_is_heard_from_the_next_startup_on(parking):
    from taskiq.formatters.proxy_formatter import ProxyFormatter

    broker, _, emit = parking
    broker.with_formatter(ProxyFormatter(broker))

    async def main():
        await broker.startup()
        task_id = await sent(broker, "nowhere")
        await work(broker)
        return task_id

    assert emit.end(run(main())).detail == "unregistered"


@pytest.mark.parametrize("in_place", [True, False])
def test_a_broker_in_memory_tells_all_and_says_it_is_eager(in_place):
    broker = InMemoryBroker(await_inplace=in_place)
    engine, emit = TaskiqEngine(broker), Recorder()
    engine.attach(emit)

    async def child():
        return 1

    async def parent():
        return await sent(broker, "child")

    broker.register_task(child, task_name="child")
    broker.register_task(parent, task_name="parent")

    async def main():
        task_id = await sent(broker, "parent")
        await broker.wait_all()
        return task_id

    task_id = run(main())
    inner = emit.end(task_id).result
    for each in (task_id, inner):
        assert sorted(emit.kinds(each)) == [E, S, EventKind.SUCCEEDED]
        assert all(event.flags & TaskFlag.EAGER for event in emit.of(each))
    assert emit.wait(inner, E).parent_id == task_id
    with pytest.raises(Unsupported):
        engine.enqueue(Job("child"))
    assert emit.hook_errors == []
    engine.detach()


def test_a_queue_of_rabbitmq_is_not_looked_into_for_that_would_mark_what_waits():
    engine = TaskiqEngine(AioPikaBroker("amqp://nowhere"))
    engine.attach(Recorder())

    with pytest.raises(Unsupported):
        engine.peek("taskiq")

    assert engine.unavailable[Capability.PEEK] == "broker"
    engine.detach()
