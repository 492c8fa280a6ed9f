"""What only taskiq does: retries from inside a run, messages no middleware sees, late brokers."""

import asyncio
import inspect
import json
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import pytest
import taskiq_brokers
from taskiq import (
    AsyncBroker,
    Context,
    InMemoryBroker,
    SimpleRetryMiddleware,
    TaskiqDepends,
    TaskiqMiddleware,
)
from taskiq.brokers.shared_broker import AsyncSharedBroker
from taskiq.exceptions import NoResultError
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver
from taskiq_inside import Trap, park_a_pickle
from z4j_core import Capability, EventKind, Job, Native, Stop, TaskFlag, Unsupported
from z4j_core.engine import capabilities
from z4j_core.model.tasks import ENDS
from z4j_taskiq import TaskiqEngine, places
from z4j_taskiq.definitions import definition
from z4j_taskiq.message import attempt_of, decoded, read
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
RETRIED = {"retry_on_error": True, "max_retries": 2}
WAIT_S = 10
FOUND = TaskiqDepends()
E, S, R, F, C = (EventKind.ENQUEUED, EventKind.STARTED, EventKind.RETRYING, EventKind.FAILED,
                 EventKind.CANCELLED)  # fmt: skip


@pytest.fixture
def parking():
    """A broker without a server, its engine, and what the engine says."""
    broker = taskiq_brokers.Parking(f"parking://{time.time_ns()}")
    engine, emit = TaskiqEngine(broker), Recorder()
    engine.attach(emit)
    yield broker, engine, emit
    engine.detach()
    assert emit.hook_errors == []


async def work(broker, *, but=()):
    """Run all that waits, and what that sends, one after the other."""
    receiver = Receiver(broker, max_async_tasks=2)
    while broker.parked:
        raw = broker.parked.pop(0)
        if raw not in but:
            await receiver.callback(raw)


async def sent(broker, task, *args, **labels):
    known = broker.find_task(task)
    labels = {**(known.labels if known else {}), **labels}
    return (await AsyncKicker(task, broker, labels).kiq(*args)).task_id


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, WAIT_S))


async def until(told):
    """Let others go on until something is so; `run` gives up."""
    while not told():  # noqa: ASYNC110  (what it waits for knows no event)
        await asyncio.sleep(0.001)


def is_blocked(client):
    return [each for each in client.client_list() if each["cmd"] == "brpop"]


def ends(emit, task_id):
    return [event.kind for event in emit.of(task_id) if event.kind in ENDS]


async def failing():
    raise ValueError("no")


class Last(TaskiqMiddleware):
    """What an app adds after it has made its broker."""


# Retries.


@pytest.mark.parametrize("no_result", [True, False])
def test_a_retry_from_inside_a_run_is_no_new_task(parking, no_result):
    broker, _, emit = parking
    broker.with_middlewares(SimpleRetryMiddleware(no_result_on_retry=no_result))
    broker.register_task(failing, task_name="failing", **RETRIED)

    async def main():
        task_id = await sent(broker, "failing")
        await work(broker)
        return task_id

    task_id = run(main())

    assert [(event.kind, event.attempt) for event in emit.of(task_id)] == [
        (E, 1), (S, 1), (R, 1), (S, 2), (F, 2),
    ]  # fmt: skip
    assert {type(event.error) for event in emit.of(task_id) if event.kind in ENDS} == {ValueError}


def test_the_last_attempt_of_a_task_that_may_retry_fails(parking):
    broker, _, emit = parking
    broker.with_middlewares(SimpleRetryMiddleware())
    broker.register_task(failing, task_name="failing", retry_on_error=True, max_retries=1)

    async def main():
        task_id = await sent(broker, "failing")
        await work(broker)
        return task_id

    assert ends(emit, run(main())) == [F]


def test_a_retry_that_a_schedule_will_send_is_a_retry(parking):
    broker, _, emit = parking

    class Scheduling(TaskiqMiddleware):
        """As taskiq's SmartRetryMiddleware does it with a source and `no_result_on_retry=False`."""

        schedule_source = object()

        def on_error(self, message, result, exception):
            message.labels["_retries"] = int(message.labels.get("_retries", 0)) + 1

    broker.with_middlewares(Scheduling())
    broker.register_task(failing, task_name="failing")

    async def main():
        task_id = await sent(broker, "failing")
        await work(broker)
        return task_id

    assert ends(emit, run(main())) == [R]


def test_a_requeued_run_is_a_retry_and_numbered(parking):
    broker, _, emit = parking
    runs = []

    async def again(context: Annotated[Context, TaskiqDepends()]):
        runs.append(1)
        if len(runs) == 1:
            await context.requeue()

    broker.register_task(again, task_name="again")

    async def main():
        task_id = await sent(broker, "again")
        await work(broker)
        return task_id

    task_id = run(main())
    assert [(event.kind, event.attempt) for event in emit.of(task_id)] == [
        (E, 1), (S, 1), (R, 1), (S, 2), (EventKind.SUCCEEDED, 2),
    ]  # fmt: skip


def test_a_run_that_wants_no_result_has_succeeded(parking):
    broker, _, emit = parking

    async def silent():
        raise NoResultError

    broker.register_task(silent, task_name="silent")

    async def main():
        task_id = await sent(broker, "silent")
        await work(broker)
        return task_id

    end = emit.end(run(main()))
    assert (end.kind, end.detail) == (EventKind.SUCCEEDED, "ignored")


# What no middleware sees.


def test_an_unknown_task_ends_failed_with_its_message(parking):
    broker, _, emit = parking

    async def main():
        task_id = await sent(broker, "nowhere", 1)
        await work(broker)
        return task_id

    end = emit.end(run(main()))
    assert (end.kind, end.detail, end.args) == (F, "unregistered", [1])
    assert read(end.native().body).args == [1]


def test_a_message_that_is_no_message_ends_failed_if_it_says_whose_it_is(parking):
    broker, _, emit = parking
    broker.parked.append(json.dumps({"task_id": "half", "task_name": "a.task"}).encode())
    broker.parked.append(b"\x00 nothing")

    run(work(broker))

    assert [(event.task_id, event.kind, event.detail) for event in emit.events] == [
        ("half", F, "undecodable")
    ]


def test_a_middleware_that_raises_leaves_no_run_open(parking):
    broker, _, emit = parking

    class Raising(TaskiqMiddleware):
        def pre_execute(self, message):
            raise LookupError("a middleware of the app")

    broker.with_middlewares(Raising())
    broker.register_task(failing, task_name="failing")

    async def main():
        task_id = await sent(broker, "failing")
        task = asyncio.create_task(work(broker))
        await asyncio.wait({task})
        await asyncio.sleep(0)
        assert isinstance(task.exception(), LookupError)
        return task_id

    end = emit.end(run(main()))
    assert (end.kind, type(end.error)) == (F, LookupError)


# Cancelling.


@asynccontextmanager
async def running(broker, emit, function, **labels):
    """A run of `function` that has begun, in a task of its own as a receiver starts it."""
    broker.register_task(function, task_name="running", **labels)
    task_id = await sent(broker, "running")
    working = asyncio.create_task(work(broker))
    await until(lambda: S in emit.kinds(task_id))
    yield task_id
    await working


async def waiting():
    await asyncio.sleep(WAIT_S * 2)


async def evading():
    try:
        await waiting()
    except asyncio.CancelledError:
        raise ValueError("something else") from None


@pytest.mark.parametrize("function", [waiting, evading])
def test_a_cancelled_run_is_never_retried_whatever_it_raises(parking, function):
    broker, engine, emit = parking
    broker.with_middlewares(SimpleRetryMiddleware())

    async def main():
        async with running(broker, emit, function, **RETRIED) as task_id:
            assert await engine.cancel(task_id) is Stop.ASKED
            assert await engine.cancel(task_id) is Stop.ASKED
        assert engine.cancel(task_id) is Stop.ALREADY
        return task_id

    task_id = run(main())
    assert ends(emit, task_id) == [C]
    assert emit.end(task_id).detail == "operator"
    assert read(emit.native(task_id).body).labels["retry_on_error"] == "True"


def test_a_cancel_waits_until_the_middlewares_before_the_task_are_done(parking):
    broker, engine, emit = parking
    seen = []

    class Slow(TaskiqMiddleware):
        async def pre_execute(self, message):
            seen.append("before")
            await asyncio.sleep(0.05)
            return message

        def post_execute(self, message, result):
            seen.append("after")

    broker.with_middlewares(Slow())

    async def main():
        await broker.startup()
        async with running(broker, emit, waiting) as task_id:
            assert seen == ["before"]
            assert await engine.cancel(task_id) is Stop.ASKED
        return task_id

    assert ends(emit, run(main())) == [C]
    assert seen == ["before", "after"]


def test_a_cancel_that_comes_while_a_middleware_sees_the_end_is_too_late(parking):
    broker, engine, emit = parking
    asked = []

    class Storing(TaskiqMiddleware):
        async def post_execute(self, message, result):
            answer = engine.cancel(message.task_id)
            asked.append(await answer if inspect.isawaitable(answer) else answer)

    broker.with_middlewares(Storing())

    async def main():
        await broker.startup()
        task_id = await sent(broker, "fast")
        await work(broker)
        return task_id

    broker.register_task(lambda: 1, task_name="fast")
    task_id = run(main())
    assert asked == [Stop.ALREADY]
    assert ends(emit, task_id) == [EventKind.SUCCEEDED]


def test_a_task_that_is_no_coroutine_is_abandoned(parking):
    import threading

    broker, engine, emit = parking
    release = threading.Event()

    def plain():
        release.wait(WAIT_S)

    async def main():
        async with running(broker, emit, plain) as task_id:
            await engine.cancel(task_id)
        release.set()
        return task_id

    end = emit.end(run(main()))
    assert (end.kind, end.detail) == (C, "abandoned")


def test_a_cancelled_message_ends_before_it_starts_and_can_be_sent_again(parking):
    broker, engine, emit = parking
    broker.with_middlewares(SimpleRetryMiddleware(default_retry_label=True))
    ran = []
    broker.register_task(lambda n: ran.append(n), task_name="task")  # noqa: PLW0108  (taskiq renames it)

    async def main():
        task_id = await sent(broker, "task", 7)
        assert engine.cancel(task_id) is Stop.NOT_HERE
        await work(broker)
        again = await engine.retry(emit.native(task_id))
        await work(broker)
        return task_id, again

    task_id, again = run(main())
    assert emit.kinds(task_id) == [E, C]
    assert emit.end(task_id).task == "task"
    assert emit.end(again).kind is EventKind.SUCCEEDED
    assert ran == [7]
    assert "z4j:revoked" not in [task.name for task in engine.discover()]


def test_the_loop_that_ends_with_a_run_interrupts_it(parking):
    broker, _, emit = parking

    async def main():
        broker.register_task(waiting, task_name="running")
        task_id = await sent(broker, "running")
        task = asyncio.create_task(work(broker))
        await until(lambda: S in emit.kinds(task_id))
        task.cancel()
        await asyncio.wait({task})
        return task_id

    end = emit.end(run(main()))
    assert (end.kind, end.detail) == (C, "interrupted")


# Brokers.


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


# Descriptions and messages.


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


# Redis.


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
