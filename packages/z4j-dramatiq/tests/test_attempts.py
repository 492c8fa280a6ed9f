"""Attempts of Dramatiq: middleware on all sides, messages that come back."""

import asyncio
import json
from uuid import uuid4

import dramatiq
import dramatiq_shop
import pytest
from dramatiq.message import Message
from dramatiq.middleware import Middleware, Retries, SkipMessage
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from redis import Redis
from z4j_core import (
    EventKind,
    Stop,
)
from z4j_core.scheduler.fires import HEADER, fire_id, mark
from z4j_dramatiq import live
from z4j_testing.services import redis_url
from z4j_testing.signals import WAIT_S, eventually

pytestmark = pytest.mark.filterwarnings("default")


def test_a_retry_is_no_new_task_and_says_when_it_is_due(stand):
    task_id = stand.work().send("flaky", 1)

    stand.emit.end(task_id)

    assert stand.emit.kinds(task_id) == [
        EventKind.ENQUEUED, EventKind.STARTED, EventKind.RETRYING, EventKind.STARTED,
        EventKind.SUCCEEDED,
    ]  # fmt: skip
    assert [event.attempt for event in stand.emit.of(task_id)] == [1, 1, 1, 2, 2]
    assert stand.emit.of(task_id)[2].due_at > 0


def test_a_message_that_was_put_off_is_told_again_when_it_is_due(stand):
    task_id = stand.work().send("ok", 1, delay=10)

    stand.emit.end(task_id)

    kinds = stand.emit.kinds(task_id)
    assert kinds[:2] == [EventKind.SCHEDULED, EventKind.ENQUEUED]
    assert {event.queue for event in stand.emit.of(task_id)} == {stand.queue}


def test_a_failure_that_nobody_retries_is_final(stands):
    stand = stands()
    stand.broker.middleware = [m for m in stand.broker.middleware if not isinstance(m, Retries)]
    task_id = stand.work().send("fail", "x")

    assert stand.emit.end(task_id, but=()).kind is EventKind.FAILED


def test_a_retry_that_could_not_be_sent_is_a_failure(stand, monkeypatch):
    stand.work()
    task_id = stand.send("doomed")
    stand.emit.wait(task_id, EventKind.RETRYING, attempt=1)
    stand.emit.wait(task_id, EventKind.STARTED, attempt=2)

    def away(*_args, **_more):
        raise dramatiq.errors.ConnectionClosed("away")

    broken = stand.send("slow", "cut", max_retries=5)
    stand.began("cut")
    monkeypatch.setattr(stand.broker, "enqueue", away)
    stand.actors["slow"].options["max_retries"] = 5
    live.of(broken).interrupt(lambda place, _: stand.emit.interrupt(place, ValueError))

    assert stand.emit.end(broken).kind is EventKind.FAILED


def test_middleware_added_later_on_either_side_changes_no_end(stand):
    class Nosy(Middleware):
        pass

    first = type(stand.broker.middleware[0])
    again = Retries(max_retries=0)
    stand.broker.middleware = [m for m in stand.broker.middleware if not isinstance(m, Retries)]
    stand.broker.add_middleware(again, before=first)
    stand.broker.add_middleware(Nosy(), before=Retries)
    stand.broker.add_middleware(Nosy())
    task_id = stand.work().send("fail", "x")

    assert stand.emit.end(task_id).kind is EventKind.FAILED
    assert stand.ends(task_id) == [EventKind.FAILED]


def test_what_other_middleware_skips_is_told_without_a_start(stand):
    class Picky(Middleware):
        def before_process_message(self, broker, message):
            raise SkipMessage("not today")

    stand.broker.add_middleware(Picky())
    task_id = stand.work().send("ok", 1)

    end = stand.emit.end(task_id)

    assert (end.kind, end.detail) == (EventKind.CANCELLED, "skipped")
    assert EventKind.STARTED not in stand.emit.kinds(task_id)


def test_arguments_an_actor_has_changed_are_sent_again_as_they_came(stand):
    first = stand.work().send("changes", [1, 2])
    end = stand.emit.end(first)

    again = stand.engine.retry(stand.emit.native(first))

    stand.emit.end(again)
    lines = (stand.folder / "changes.jsonl").read_text().splitlines()
    assert [json.loads(line)[0] for line in lines] == [[1, 2], [1, 2]]
    assert end.kind is EventKind.FAILED


def test_the_next_of_a_pipeline_is_the_child_of_the_one_before(stand):
    stand.work()
    first = stand.send("ok", 1, pipe_target=stand.actors["echo"].message().asdict())

    def seconds():
        events = list(stand.emit.events)
        return [e for e in events if e.task == "echo" and e.kind is EventKind.ENQUEUED]

    (second,) = eventually(seconds, "the next of the pipeline")
    assert second.parent_id == first
    assert stand.emit.end(second.task_id).kind is EventKind.SUCCEEDED


def test_a_copy_leaves_the_result_of_the_first_where_it_is(stand):
    with Redis.from_url(redis_url(9)) as client:
        kept = RedisBackend(client=client, namespace=stand.queue)
        stand.broker.add_middleware(Results(backend=kept, store_results=True))
        fire = fire_id(str(uuid4()), 1, 60_000)
        first, second = (
            Message(stand.queue, "ok", (1,), {}, {HEADER: mark(fire, enq)}, fire) for enq in (1, 2)
        )
        stand.broker.enqueue(first)
        stand.work().emit.end(fire)

        stand.broker.enqueue(second)

        stand.emit.end(stand.send("echo"))
        assert stand.emit.dropped == [fire]
        assert first.get_result(backend=kept) == {"sum": 3}


def test_an_async_actor_is_observed_and_cancelled(stand):
    try:
        from dramatiq.middleware.asyncio import AsyncIO
    except ImportError:
        pytest.skip("asyncio: version")
    stand.broker.add_middleware(AsyncIO())

    async def waits(token):
        dramatiq_shop.mark("began", token)
        try:
            await asyncio.sleep(WAIT_S)
        finally:
            dramatiq_shop.mark("finally", token)

    dramatiq.actor(broker=stand.broker, queue_name=stand.queue)(waits)
    task_id = stand.work().send("waits", "async")
    stand.began("async")

    assert stand.engine.cancel(task_id) is Stop.ASKED

    assert stand.emit.end(task_id).kind is EventKind.CANCELLED
    assert (stand.folder / "finally.jsonl").exists()
    (found,) = [task for task in stand.engine.discover() if task.name == "waits"]
    assert found.is_async


def test_an_actor_called_by_another_is_part_of_it(stand):
    def outer():
        return stand.actors["ok"](40)

    dramatiq.actor(broker=stand.broker, queue_name=stand.queue)(outer)

    assert stand.work().emit.end(stand.send("outer")).result == {"sum": 42}
