"""What arq is sent, by the app and by the engine."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis as redis_py
from arq import Retry, func
from redis import Redis
from z4j_arq import ArqEngine
from z4j_core import (
    EventKind,
    Indeterminate,
    Job,
    Unsupported,
)
from z4j_core.errors import EngineUnavailable
from z4j_testing.services import free_port

pytestmark = pytest.mark.filterwarnings("default")


def test_an_id_that_is_taken_is_told_as_such(bench):
    first = bench.send("ok", 1, _job_id="only-one")

    assert bench.send("ok", 2, _job_id="only-one") is None

    assert first == "only-one"
    assert bench.emit.kinds("only-one") == [EventKind.ENQUEUED, EventKind.DEDUPED]


def test_an_id_that_is_taken_sends_nothing_more(bench):
    bench.send("ok", 1, _job_id="only-one")

    sent = bench.engine.enqueue(Job("ok", (2,), id="only-one", queue=bench.queue))

    assert sent == "only-one"
    assert bench.emit.kinds(sent) == [EventKind.ENQUEUED, EventKind.DEDUPED]
    bench.work()
    assert bench.emit.end(sent).result == {"sum": 3}
    assert bench.engine.enqueue(Job("ok", (2,), id=sent, queue=bench.queue)) == sent
    assert bench.engine.depth(bench.queue).ready == 0


def test_positional_arguments_are_not_told_by_who_does_not_know_their_names(bench):
    task_id = bench.send("secret", "order", "hunter2", password2="kept")

    (sent,) = bench.emit.of(task_id)
    assert (sent.args, sent.kwargs) == (None, {"password2": "kept"})


def test_a_run_may_be_due_at_a_time_or_after_one(bench):
    at = datetime.now(UTC) + timedelta(hours=1)

    until = bench.send("ok", 1, _defer_until=at)
    by = bench.send("ok", 1, _defer_by=timedelta(hours=1))

    for task_id in (until, by):
        (sent,) = bench.emit.of(task_id)
        assert sent.kind is EventKind.SCHEDULED
        assert abs(sent.due_at - at.timestamp()) < 5


def test_a_retry_with_a_delay_says_when_it_is_due(bench):
    task_id = bench.send("later", 0.3)

    bench.work()

    retrying = next(e for e in bench.emit.of(task_id) if e.kind is EventKind.RETRYING)
    second = bench.emit.of(task_id)[-2]
    assert second.kind is EventKind.STARTED
    assert isinstance(retrying.error, Retry)
    assert 0 < retrying.due_at - time.time() + 30 < 31


def test_what_another_try_asks_for_is_its_cause(bench):
    task_id = bench.send("flaky", 1)

    bench.work()

    retrying = next(e for e in bench.emit.of(task_id) if e.kind is EventKind.RETRYING)
    assert repr(retrying.error) == "KeyError('again')"


def test_jobs_of_a_queue_with_a_serializer_are_read_and_sent_by_it(bench):
    def dumps(value):
        return json.dumps(value).encode()

    bench.with_pool(lambda pool: pool.enqueue_job("ok", 1), job_serializer=dumps)

    sent = bench.engine.enqueue(Job("ok", (5,), queue=bench.queue))

    items = bench.engine.peek(bench.queue).items
    assert sorted(held.args[0] for held in items) == [1, 5]
    bench.work(job_serializer=dumps, job_deserializer=json.loads)
    assert bench.emit.end(sent).result == {"sum": 7}


def test_what_a_serializer_does_not_take_is_refused(bench):
    bench.with_pool(lambda pool: pool.enqueue_job("ok", 1),
                    job_serializer=lambda value: json.dumps(value).encode())  # fmt: skip

    with pytest.raises(Unsupported):
        bench.engine.enqueue(Job("ok", (object(),), queue=bench.queue))


def test_a_job_that_began_at_a_later_try_begins_again_at_the_first(bench):
    task_id = bench.send("fail", "x", _job_try=3)
    bench.work()
    assert bench.emit.end(task_id).attempt == 3

    again = bench.engine.retry(bench.emit.native(task_id))

    bench.work()
    end = bench.emit.end(again)
    assert (end.attempt, end.queue, list(end.args)) == (1, bench.queue, ["x"])


def test_what_a_job_did_to_its_arguments_is_not_sent_again(bench):
    async def greedy(ctx, items):
        items.append("mine")
        raise ValueError(items)

    functions = [func(greedy, name="greedy")]
    task_id = bench.send("greedy", ["given"])
    bench.work(functions=functions)

    again = bench.engine.retry(bench.emit.native(task_id))

    bench.work(functions=functions)
    assert bench.emit.end(again).error.args == (["given", "mine"],)


def test_a_priority_is_refused(bench):
    with pytest.raises(Unsupported):
        bench.engine.enqueue(Job("ok", (1,), queue=bench.queue, priority=3))


def test_a_job_may_be_given_a_time_to_start_by(bench):
    task_id = bench.engine.enqueue(Job("ok", (1,), queue=bench.queue, expires=time.time() + 9))

    assert 0 < bench.client.pttl(f"arq:job:{task_id}") <= 9000


def test_without_redis_nothing_was_sent():
    engine = ArqEngine(Redis(port=free_port()), tasks=[])

    with pytest.raises(EngineUnavailable):
        engine.enqueue(Job("ok", (1,)))


def test_a_redis_that_goes_away_on_the_way_leaves_it_open(bench, monkeypatch):
    def gone(*args, **kwargs):
        raise redis_py.exceptions.ConnectionError("gone")

    monkeypatch.setattr(bench.client, "transaction", gone)

    with pytest.raises(Indeterminate):
        bench.engine.enqueue(Job("ok", (1,), queue=bench.queue))
