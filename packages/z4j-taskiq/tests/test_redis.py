"""Lists of Redis nobody works on."""

import asyncio
import json
import time

import pytest
import taskiq_brokers
from taskiq_inside import Trap, park_a_pickle
from taskiq_parking import C, E, is_blocked, run, sent, until
from z4j_core import Capability, Job, Stop
from z4j_taskiq import TaskiqEngine
from z4j_taskiq.message import read
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def listed():
    """A broker of Redis lists nobody works on, and its engine."""
    broker = taskiq_brokers.make("redis-list", redis_url(9), f"z4j-only-{time.time_ns()}")
    engine, emit = TaskiqEngine(broker), Recorder()
    engine.attach(emit)
    yield broker, engine, emit
    engine.stores[0].client.delete(broker.queue_name)
    engine.detach()
    assert emit.hook_errors == []


def test_a_verb_sends_though_the_apps_event_loop_is_over(listed):
    broker, engine, emit = listed

    async def main():
        await sent(broker, "taskiq_shop:ok", 1)
        await broker.connection_pool.disconnect()

    run(main())
    assert engine.loop is None

    task_id = run(engine.enqueue(Job("taskiq_shop:ok", (2,))))

    assert emit.kinds(task_id) == [E]
    assert [list(held.args) for held in engine.peek(broker.queue_name).items] == [[1], [2]]
    assert engine.loop is None


def test_the_labels_of_the_decorator_are_sent_by_a_verb_too(listed):
    broker, engine, _ = listed

    task_id = run(engine.enqueue(Job("taskiq_shop:doomed")))

    (raw,) = engine.stores[0].client.lrange(broker.queue_name, 0, -1)
    assert read(raw).task_id == task_id
    assert read(raw).labels == {"retry_on_error": "True", "max_retries": "3"}


def test_a_waiting_message_is_taken_out_of_its_list_and_told_once(listed):
    broker, engine, emit = listed

    async def main():
        return [await sent(broker, "taskiq_shop:ok", n) for n in range(3)]

    ids = run(main())

    assert engine.cancel(ids[1]) is Stop.DONE

    assert [held.task_id for held in engine.peek(broker.queue_name).items] == [ids[0], ids[2]]
    end = emit.end(ids[1])
    assert (end.kind, end.detail, read(end.native().body).args) == (C, "operator", [1])


def test_no_verb_loads_a_pickle(listed, tmp_path):
    broker, engine, _ = listed
    mark = tmp_path / "loaded"
    task_id = park_a_pickle(engine, broker.queue_name, Trap(str(mark)))

    (held,) = engine.peek(broker.queue_name).items
    answer = engine.cancel(task_id)

    assert (held.task_id, held.task) == (task_id, "taskiq_shop:ok")
    assert answer is Stop.DONE
    assert not mark.exists()


def test_a_message_that_a_pause_overtook_goes_back_to_where_it_was(listed):
    broker, engine, _ = listed

    async def main():
        read = broker.listen()
        waiting = asyncio.create_task(anext(read))
        await until(lambda: Capability.PAUSE not in engine.unavailable)
        await until(lambda: is_blocked(engine.stores[0].client))
        await engine.pause(broker.queue_name)
        first = await sent(broker, "taskiq_shop:ok", 1)
        await until(lambda: engine.stores[0].client.llen(broker.queue_name))
        assert not waiting.done()
        assert [held.task_id for held in engine.peek(broker.queue_name).items] == [first]
        await engine.resume(broker.queue_name)
        raw = await waiting
        await read.aclose()
        await broker.shutdown()
        return first, raw

    first, raw = run(main())
    assert read(raw).task_id == first


def test_a_queue_that_was_paused_before_the_worker_came_up_stays_paused(listed):
    broker, engine, emit = listed
    emit.gate(broker.queue_name).close()

    async def main():
        first = await sent(broker, "taskiq_shop:ok", 1)
        read = broker.listen()
        waiting = asyncio.create_task(anext(read))
        await until(lambda: emit.up)
        assert [queue.paused for queue in engine.queues()] == [True]
        assert engine.stores[0].client.llen(broker.queue_name) == 1
        await engine.resume(broker.queue_name)
        assert json.loads(await waiting)["task_id"] == first
        await read.aclose()
        await broker.shutdown()

    run(main())
    assert emit.down == [emit.up[0].id]
