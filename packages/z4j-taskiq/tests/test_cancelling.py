"""Runs of taskiq that are cancelled before and while they run."""

import asyncio
import inspect
from contextlib import asynccontextmanager

import pytest
from taskiq import (
    SimpleRetryMiddleware,
    TaskiqMiddleware,
)
from taskiq.receiver import Receiver
from taskiq_parking import WAIT_S, C, E, S, ends, run, sent, until, work
from z4j_core import EventKind, Stop
from z4j_taskiq.message import read

pytestmark = pytest.mark.filterwarnings("default")
RETRIED = {"retry_on_error": True, "max_retries": 2}


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


def test_another_copy_that_ends_leaves_the_run_of_this_one_to_be_cancelled(parking):
    broker, engine, emit = parking
    gates = []

    async def gated():
        gates.append(asyncio.Event())
        await gates[-1].wait()

    async def main():
        broker.register_task(gated, task_name="gated")
        task_id = await sent(broker, "gated")
        raw, receiver = broker.parked.pop(), Receiver(broker, max_async_tasks=2)
        copies = [asyncio.create_task(receiver.callback(raw)) for _ in range(2)]
        await until(lambda: len(gates) == len(copies))

        gates[0].set()
        await copies[0]

        assert await asyncio.wait_for(_asked(engine, task_id), WAIT_S) is Stop.ASKED
        await copies[1]
        return task_id

    assert ends(emit, run(main())) == [EventKind.SUCCEEDED, C]


async def _asked(engine, task_id):
    answer = engine.cancel(task_id)
    return await answer if inspect.isawaitable(answer) else answer


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
