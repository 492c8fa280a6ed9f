"""Retries from inside a run, and messages no middleware sees."""

import asyncio
import json
from contextvars import copy_context
from typing import Annotated

import pytest
from taskiq import (
    Context,
    SimpleRetryMiddleware,
    TaskiqDepends,
    TaskiqMiddleware,
)
from taskiq.exceptions import NoResultError
from taskiq_parking import E, F, R, S, ends, failing, run, sent, work
from z4j_core import EventKind
from z4j_core.model.tasks import ENDS
from z4j_taskiq.message import read

pytestmark = pytest.mark.filterwarnings("default")
RETRIED = {"retry_on_error": True, "max_retries": 2}


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


def test_an_end_that_is_heard_twice_is_told_once(parking):
    broker, _, emit = parking

    class Eager(TaskiqMiddleware):
        def post_execute(self, message, result):
            """Let the first middleware hear at once what taskiq tells it last."""
            copy_context().run(broker.middlewares[0].post_execute, message, result)

    async def fine():
        return 1

    async def main():
        broker.with_middlewares(Eager())
        broker.register_task(fine, task_name="fine")
        task_id = await sent(broker, "fine")
        await work(broker)
        return task_id

    assert ends(emit, run(main())) == [EventKind.SUCCEEDED]
