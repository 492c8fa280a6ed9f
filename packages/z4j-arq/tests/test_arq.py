"""What only arq does."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import arq.worker
import arq_shop
import pytest
import redis as redis_py
import z4j_arq
from arq import Retry, Worker, create_pool, cron, func
from arq.connections import ArqRedis, RedisSettings
from arq.jobs import Job as ArqJob
from arq.worker import get_kwargs
from arq_inside import KEYS, Trap, pool_of
from redis import Redis
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import WatchError
from z4j_arq import ArqEngine, seams
from z4j_arq.hooks import Hooks
from z4j_arq.inventory import resized, slots_of
from z4j_arq.message import call_in, pack, unpack
from z4j_arq.names import Names
from z4j_arq.places import adapt, client_like
from z4j_core import (
    Capability,
    EventKind,
    Indeterminate,
    Job,
    Native,
    Stop,
    TaskNotFound,
    TaskState,
    Unsupported,
    capabilities,
)
from z4j_core.errors import EngineUnavailable
from z4j_core.invoke import Answering
from z4j_core.model.tasks import ENDS
from z4j_core.place import redis_place
from z4j_testing.recorder import Recorder
from z4j_testing.services import free_port, redis_url
from z4j_testing.signals import WAIT_S

pytestmark = pytest.mark.filterwarnings("default")
DB = 12


class Bench:
    """An engine that is attached, what it says, and the host's side of arq."""

    def __init__(self, folder):
        self.url = redis_url(DB)
        self.folder = folder
        self.queue = f"z4j-only-{time.time_ns()}"
        self.engine = ArqEngine(Redis.from_url(self.url), tasks=[])
        self.client = self.engine.client
        self.emit = Recorder()
        self.engine.attach(self.emit)

    def with_pool(self, act, **options):
        """What `act` gives, a coroutine function of a pool of the host."""

        async def acted():
            pool = pool_of(self.url, self.queue, **options)
            try:
                return await act(pool)
            finally:
                await pool.close(close_connection_pool=True)

        return asyncio.run(acted())

    def send(self, task, *args, **options):
        job = self.with_pool(lambda pool: pool.enqueue_job(task, *args, **options))
        return None if job is None else job.job_id

    def work(self, during=None, **options):
        """Run all that waits, here and now; `during` is a coroutine function of the worker."""

        async def worked():
            given = arq_shop.options(self.queue, self.url, 5, handle_signals=False, burst=True)
            worker = Worker(**{**given, **options})
            others = [asyncio.create_task(during(worker))] if during else []
            await worker.async_run()
            await asyncio.gather(*others)
            await worker.close()
            return worker

        return asyncio.run(worked())

    def ends(self, task_id):
        return [event.kind for event in self.emit.of(task_id) if event.kind in ENDS]

    def close(self):
        self.engine.detach()
        for prefix in KEYS:
            for key in list(self.client.scan_iter(f"{prefix}*", 1000)):
                self.client.delete(key)
        self.client.delete(self.queue, "arq:abort", f"{self.queue}:health-check")
        self.client.close()
        assert self.emit.hook_errors == []


@pytest.fixture
def bench(monkeypatch, tmp_path):
    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    made = Bench(tmp_path)
    yield made
    made.close()


async def until(found):
    """Wait on the worker's own loop, where nothing could wake us."""
    async with asyncio.timeout(WAIT_S):
        while not found():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def begun(worker, task_id):
    """Wait until a job's own code runs."""
    await until(lambda: task_id in worker.job_tasks)


# Ends that no hook of arq knows.


def test_a_job_that_expired_ends_so_without_a_start(bench):
    task_id = bench.send("ok", 1, _expires=0.001)

    bench.work()

    assert bench.emit.kinds(task_id) == [EventKind.ENQUEUED, EventKind.EXPIRED]
    assert bench.emit.end(task_id).native is None


def test_an_undecodable_job_ends_failed_and_keeps_its_bytes(bench):
    task_id = bench.send("ok", 1)
    bench.client.set(f"arq:job:{task_id}", b"no pickle")

    bench.work()

    end = bench.emit.end(task_id)
    assert (bench.ends(task_id), end.detail) == ([EventKind.FAILED], "undecodable")
    assert type(end.error).__name__ == "DeserializationError"
    assert unpack(bench.emit.native(task_id)).data == b"no pickle"


def test_an_unknown_function_ends_failed_with_its_arguments(bench):
    task_id = bench.send("nobody", 1, b=2)

    bench.work()

    end = bench.emit.end(task_id)
    assert (end.kind, end.detail, end.task) == (EventKind.FAILED, "unregistered", "nobody")
    assert (list(end.args), end.kwargs) == ([1], {"b": 2})


def test_a_job_that_always_asks_for_another_try_dies_without_a_start(bench):
    task_id = bench.send("doomed")

    bench.work()

    told = [(event.kind, event.attempt, event.detail) for event in bench.emit.of(task_id)]
    assert told == [
        (EventKind.ENQUEUED, 1, None),
        (EventKind.STARTED, 1, None), (EventKind.RETRYING, 1, None),
        (EventKind.STARTED, 2, None), (EventKind.RETRYING, 2, None),
        (EventKind.FAILED, 3, "retries_exhausted"),
    ]  # fmt: skip


def test_a_job_the_app_aborted_before_its_start_is_cancelled(bench):
    task_id = bench.send("ok", 1)
    bench.client.zadd("arq:abort", {task_id: int(time.time() * 1000)})

    bench.work(allow_abort_jobs=True)

    assert bench.emit.kinds(task_id) == [EventKind.ENQUEUED, EventKind.CANCELLED]
    assert bench.emit.end(task_id).detail == "revoked"


def test_a_job_the_app_aborted_while_it_ran_is_cancelled(bench):
    task_id = bench.send("slow", "never")

    async def abort(worker):
        await begun(worker, task_id)
        await ArqJob(task_id, worker.pool, worker.queue_name).abort(timeout=10)

    bench.work(abort, allow_abort_jobs=True)

    assert bench.ends(task_id) == [EventKind.CANCELLED]
    assert bench.emit.end(task_id).detail == "revoked"


def test_a_timeout_is_one_whether_its_result_is_kept_or_not(bench):
    kept, unkept = bench.send("hard"), bench.send("fast")
    fast = func(arq_shop.hard, name="fast", timeout=0.1, keep_result=0)

    bench.work(functions=[*arq_shop.FUNCTIONS, fast])

    for task_id in (kept, unkept):
        assert bench.ends(task_id) == [EventKind.FAILED]
        assert bench.emit.end(task_id).detail == "timeout"
    assert bench.emit.of(kept)[1].timeout_s == 1


def test_a_result_without_words_is_a_failure_as_it_is_for_arq(bench):
    task_id = bench.send("unspeakable")

    worker = bench.work()

    assert worker.jobs_failed == 1
    assert bench.ends(task_id) == [EventKind.FAILED]
    assert str(bench.emit.end(task_id).error) == "no words"


def test_a_stopping_worker_puts_its_jobs_back(bench):
    task_id = bench.send("slow", "never")

    async def stop(worker):
        await begun(worker, task_id)
        for task in worker.tasks.values():
            task.cancel()
        (bench.folder / "release-never").touch()

    bench.work(stop)

    told = [(event.kind, event.attempt) for event in bench.emit.of(task_id)][1:]
    assert told == [
        (EventKind.STARTED, 1), (EventKind.RETRYING, 1),
        (EventKind.STARTED, 2), (EventKind.SUCCEEDED, 2),
    ]  # fmt: skip


def test_a_stopping_worker_that_retries_nothing_interrupts_its_jobs(bench):
    task_id = bench.send("slow", "never")

    async def stop(worker):
        await begun(worker, task_id)
        worker.tasks[task_id].cancel()

    bench.work(stop, retry_jobs=False)

    assert bench.ends(task_id) == [EventKind.FAILED]
    assert bench.emit.end(task_id).detail == "interrupted"


def test_a_job_that_cancels_itself_has_no_time_limit_to_blame(bench):
    task_id = bench.send("gives_up")

    bench.work(retry_jobs=False)

    assert bench.ends(task_id) == [EventKind.FAILED]
    assert bench.emit.end(task_id).detail is None


def test_an_end_that_could_not_be_stored_is_not_told(bench):
    task_id = bench.send("ok", 1)

    class Broken(Worker):
        async def finish_job(self, *args, **kwargs):
            if not hasattr(self, "was_down"):
                self.was_down = True
                raise ConnectionError("redis went away")
            await super().finish_job(*args, **kwargs)

    async def worked():
        given = arq_shop.options(bench.queue, bench.url, 5, handle_signals=False, burst=True)
        worker = Broken(**given)
        with pytest.raises(ConnectionError):
            await worker.async_run()
        bench.client.delete(f"arq:in-progress:{task_id}")
        await worker.async_run()
        await worker.close()

    asyncio.run(worked())

    told = [(event.kind, event.attempt) for event in bench.emit.of(task_id)][1:]
    assert told == [
        (EventKind.STARTED, 1), (EventKind.STARTED, 2), (EventKind.SUCCEEDED, 2),
    ]  # fmt: skip


def test_a_job_whose_result_is_not_kept_has_its_end(bench):
    task_id = bench.send("ok", 1)

    bench.work(keep_result=0)

    assert bench.emit.end(task_id).result == {"sum": 3}
    assert Answering(bench.engine).cancel(task_id) in (Stop.NOT_HERE, Stop.ALREADY)


# Sending.


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


# Cancelling.


def test_a_cancelled_job_that_was_put_off_is_not_run_at_once(bench):
    task_id = bench.send("echo", "late", _defer_by=3600)

    assert Answering(bench.engine).cancel(task_id) is Stop.DONE

    bench.work()
    assert bench.ends(task_id) == [EventKind.CANCELLED]
    assert not bench.client.exists("arq:abort", f"arq:job:{task_id}", f"arq:retry:{task_id}")
    assert not (bench.folder / "echo.jsonl").exists()


def test_a_cancelled_job_can_be_run_again(bench):
    task_id = bench.send("ok", 4)
    bench.engine.cancel(task_id)

    again = bench.engine.retry(bench.emit.native(task_id))

    bench.work()
    assert bench.emit.end(again).result == {"sum": 6}
    assert bench.emit.of(again)[0].retry_of == task_id


def test_cancelling_what_nobody_knows_leaves_nothing_behind(bench):
    before = set(bench.client.scan_iter("*"))

    assert Answering(bench.engine).cancel("nobody") is Stop.NOT_HERE

    assert set(bench.client.scan_iter("*")) == before


def test_a_job_is_cancelled_though_its_queue_is_not_known_here(bench):
    other = f"{bench.queue}-elsewhere"
    task_id = bench.send("ok", 1, _queue_name=other)
    elsewhere = ArqEngine(Redis.from_url(bench.url), tasks=[])

    assert elsewhere.cancel(task_id) is Stop.DONE

    assert not bench.client.exists(f"arq:job:{task_id}")
    bench.client.delete(other)
    elsewhere.client.close()


def test_a_worker_that_is_about_to_take_a_cancelled_job_lets_it_be(bench):
    task_id = bench.send("ok", 1)
    with bench.client.pipeline() as taking:
        taking.watch(f"arq:in-progress:{task_id}")

        bench.engine.cancel(task_id)

        taking.multi()
        taking.psetex(f"arq:in-progress:{task_id}", 1000, b"1")
        with pytest.raises(WatchError):
            taking.execute()


def test_a_job_that_was_taken_already_is_left_to_its_worker(bench):
    task_id = bench.send("ok", 1)
    bench.client.psetex(f"arq:in-progress:{task_id}", 60_000, b"1")

    assert Answering(bench.engine).cancel(task_id) is Stop.NOT_HERE

    assert bench.client.exists(f"arq:job:{task_id}")
    assert bench.engine.fetch(task_id).state is TaskState.RUNNING


def test_a_job_cancelled_before_its_code_began_never_runs_it(bench):
    task_id = bench.send("echo", "never")

    async def cancel(ctx):
        assert await bench.engine.cancel(ctx["job_id"]) is Stop.ASKED

    bench.work(on_job_start=cancel)

    assert bench.ends(task_id) == [EventKind.CANCELLED]
    assert bench.emit.end(task_id).detail == "operator"
    assert not (bench.folder / "echo.jsonl").exists()


def test_a_job_that_swallows_its_cancel_goes_on_and_leaves_no_mark(bench):
    task_id = bench.send("deaf", "never")

    async def cancel(worker):
        await begun(worker, task_id)
        assert await bench.engine.cancel(task_id) is Stop.ASKED

    worker = bench.work(cancel)

    assert bench.emit.end(task_id).result == "went on"
    assert worker.aborting_tasks == set()


def test_a_job_that_fails_while_it_is_cancelled_has_failed(bench):
    task_id = bench.send("untidy", "never")

    async def cancel(worker):
        await begun(worker, task_id)
        await bench.engine.cancel(task_id)

    worker = bench.work(cancel)

    assert bench.ends(task_id) == [EventKind.FAILED]
    assert str(bench.emit.end(task_id).error) == "while tidying up"
    assert worker.aborting_tasks == set()


def test_a_run_that_ended_here_is_known_though_arq_kept_no_result(bench):
    told = []

    async def cancel(worker):
        while not told or told[-1] is Stop.NOT_HERE:
            told.append(await asyncio.to_thread(Answering(bench.engine).cancel, "known"))

    bench.send("ok", 1, _job_id="known")
    bench.send("pause", 1)
    bench.work(lambda worker: _once(worker, cancel), keep_result=0)

    assert told[-1] is Stop.ALREADY


async def _once(worker, act):
    await until(lambda: worker.jobs_complete)
    await act(worker)


# Queues.


def test_what_runs_is_neither_counted_as_waiting_nor_purged(bench):
    running = bench.send("slow", "purged")
    later = bench.send("ok", 1, _defer_by=3600)
    seen = []

    async def purge(worker):
        await begun(worker, running)
        worker.allow_pick_jobs = False
        waiting = await worker.pool.enqueue_job("ok", 1, _defer_by=-1)
        seen.append(bench.engine.depth(bench.queue))
        seen.append({held.task_id: held.state for held in bench.engine.peek(bench.queue).items})
        seen.append(waiting.job_id)
        seen.append(bench.engine.purge(bench.queue))
        worker.allow_pick_jobs = True
        (bench.folder / "release-purged").touch()

    bench.work(purge)

    depth, states, waiting, dropped = seen
    assert (depth.ready, depth.delayed, depth.unacked) == (1, 1, 1)
    assert depth.oldest_s >= 1
    assert states == {
        waiting: TaskState.QUEUED, running: TaskState.RUNNING, later: TaskState.SCHEDULED,
    }  # fmt: skip
    assert dropped == 2
    assert bench.ends(running) == [EventKind.SUCCEEDED]


def test_a_queue_with_a_job_that_is_gone_is_shown_and_purged(bench):
    task_id = bench.send("ok", 1)
    bench.client.delete(f"arq:job:{task_id}")

    (held,) = bench.engine.peek(bench.queue).items

    assert (held.task_id, held.task) == (task_id, None)
    assert "expired" in held.opaque
    assert bench.engine.purge(bench.queue) == 1


def test_a_long_queue_is_purged_to_the_end(bench):
    with bench.client.pipeline() as pipe:
        pipe.zadd(bench.queue, {f"gone-{number}": number for number in range(250)})
        pipe.execute()

    assert bench.engine.purge(bench.queue) == 250

    assert bench.engine.peek(bench.queue).items == ()


def test_an_empty_queue_has_no_oldest_job(bench):
    depth = bench.engine.depth("nowhere")

    assert (depth.ready, depth.delayed, depth.unacked, depth.oldest_s) == (0, 0, 0, None)


def test_a_pause_holds_back_what_was_read_already(bench):
    ids = [bench.send("slow", "first"), *[bench.send("ok", number) for number in range(3)]]

    async def pause(worker):
        await begun(worker, ids[0])
        bench.engine.pause(bench.queue)
        (bench.folder / "release-first").touch()
        await until(lambda: not worker.tasks)
        started = [each for each in ids if EventKind.STARTED in bench.emit.kinds(each)]
        assert len(started) <= 2  # one may have been waiting for a place
        assert bench.engine.queues()[0].paused
        bench.engine.resume(bench.queue)

    bench.work(pause, max_jobs=1)

    assert all(bench.ends(each) == [EventKind.SUCCEEDED] for each in ids)


def test_fetch_knows_what_waits_what_is_put_off_and_what_has_ended(bench):
    put_off = bench.send("ok", 1, _defer_by=3600)
    good, bad = bench.send("ok", 1), bench.send("fail", "x")

    assert bench.engine.fetch(put_off).state is TaskState.SCHEDULED
    assert bench.engine.fetch(good).state is TaskState.QUEUED
    bench.engine.cancel(put_off)
    bench.work()

    assert bench.engine.fetch(good).state is TaskState.SUCCEEDED
    assert bench.engine.fetch(bad).state is TaskState.FAILED
    assert bench.engine.fetch(bad).task == "fail"
    with pytest.raises(TaskNotFound):
        bench.engine.fetch(put_off)


def test_nothing_hostile_in_a_job_is_loaded_by_any_verb(bench):
    mark = bench.folder / "loaded"
    task_id = bench.send("ok", Trap(str(mark)))
    before = bench.client.get(f"arq:job:{task_id}")

    bench.engine.peek(bench.queue)
    held = bench.engine.fetch(task_id)
    again = bench.engine.retry(held.native)
    bench.engine.discover()
    bench.engine.cancel(again)
    bench.engine.depth(bench.queue)
    bench.engine.cancel(task_id)

    assert held.task == "ok"
    assert not mark.exists()
    assert unpack(bench.emit.native(task_id)).data == before


# The worker.


def test_a_worker_is_up_and_down(bench):
    bench.send("ok", 1)

    bench.work()

    (worker,) = bench.emit.up
    assert worker.id.endswith(f"/{bench.queue}")
    assert (worker.slots, worker.queues, worker.pool) == (5, (bench.queue,), "asyncio")
    assert bench.emit.down == [worker.id]
    assert list(bench.engine.workers()) == []


def test_a_worker_may_work_once_more(bench):
    async def twice():
        given = arq_shop.options(bench.queue, bench.url, 5, handle_signals=False, burst=True)
        worker = Worker(**given)
        for _ in range(2):
            await worker.async_run()
            await worker.close()

    asyncio.run(twice())

    assert len(bench.emit.up) == len(bench.emit.down) == 2


def test_functions_are_what_they_were_after_detaching_and_in_other_workers(bench):
    shared = func(arq_shop.ok)
    original = shared.coroutine
    seen = []

    async def detach(worker):
        await until(lambda: bench.emit.up)
        seen.append(worker.functions["ok"] is shared)
        bench.engine.detach()
        seen.append(worker.functions["ok"] is shared)

    bench.send("ok", 1)
    bench.work(detach, functions=[shared])

    assert seen == [False, True]
    assert shared.coroutine is original


def test_arqs_command_line_finds_every_setting(bench):
    z4j_arq.detect(None, lambda _: None)

    settings = get_kwargs(type("WorkerSettings", (), {"functions": [arq_shop.ok], "max_jobs": 3}))

    assert settings == {"functions": [arq_shop.ok], "max_jobs": 3}


def test_cron_jobs_are_told_by_the_name_arq_gives_them(bench):
    async def tick(ctx):
        return "tock"

    async def stop(worker):
        await until(lambda: worker.jobs_complete)
        worker.main_task.cancel()

    job = cron(tick, name="cron:tick", run_at_startup=True, second=None)

    async def worked():
        given = arq_shop.options(bench.queue, bench.url, 5, handle_signals=False)
        worker = Worker(**{**given, "functions": [], "cron_jobs": [job]})
        stopping = asyncio.create_task(stop(worker))
        with pytest.raises(asyncio.CancelledError):
            await worker.async_run()
        await stopping
        await worker.close()

    asyncio.run(worked())

    end = next(event for event in bench.emit.events if event.kind is EventKind.SUCCEEDED)
    assert (end.task, end.result) == ("cron:tick", "tock")
    assert end.task_id.startswith("cron:tick:")
    assert [each.name for each in bench.engine.discover()] == ["cron:tick"]


def test_a_worker_grows_and_shrinks(bench):
    async def resize():
        worker = Worker([arq_shop.ok], queue_name=bench.queue, max_jobs=3, handle_signals=False)
        given = slots_of(worker)
        assert resized(worker, 2) == 5
        assert resized(worker, -4) == 1
        assert resized(worker, -9) == 1
        assert resized(worker, 2) == 3
        return given

    assert asyncio.run(resize()) == 3


def test_a_worker_that_shrinks_lets_its_jobs_finish_and_starts_no_others(bench):
    ids = [bench.send("slow", f"shrunk-{number}") for number in range(4)]
    most = []

    async def shrink(worker):
        for task_id in ids[:2]:
            await begun(worker, task_id)
        assert await bench.engine.pool(bench.emit.up[0].id, -1) == 1
        (bench.folder / "release-shrunk-0").touch()
        await until(lambda: bench.ends(ids[0]))
        for number in (1, 2, 3):
            most.append(len(worker.job_tasks))
            (bench.folder / f"release-shrunk-{number}").touch()
            await until(lambda n=number: most.append(len(worker.job_tasks)) or bench.ends(ids[n]))

    bench.work(shrink, max_jobs=2)

    assert max(most) == 1
    assert all(bench.ends(each) == [EventKind.SUCCEEDED] for each in ids)


def test_there_is_no_pool_of_a_worker_that_is_not_here(bench):
    with pytest.raises(TaskNotFound):
        Answering(bench.engine).pool("nobody", 1)


def test_what_needs_a_worker_is_offered_by_workers_alone(bench):
    needed = {Capability.PAUSE, Capability.RESUME, Capability.POOL, Capability.WORKERS}
    offered = []

    async def look(ctx):
        offered.append(set(capabilities(bench.engine)))

    bench.send("ok", 1)
    bench.work(on_job_start=look)

    assert needed <= offered[0]
    assert not needed & set(capabilities(bench.engine))
    assert Capability.CANCEL in capabilities(bench.engine)


def test_what_a_dead_worker_had_started_is_said_to_come_again(bench):
    seen = []

    async def look(ctx):
        seen.append(bench.engine.delivery)

    bench.send("ok", 1)
    bench.work(on_job_start=look, job_timeout=40)

    assert seen[0].redelivers_after_s == 50
    assert not bench.engine.delivery.known


def test_the_last_engine_leaves_arq_as_it_was():
    if seams._listeners:
        pytest.skip("another rig is attached")
    holders = [(holder, name) for holder, name, _ in seams._WANTED]
    before = [vars(holder)[name] for holder, name in holders]
    engine = ArqEngine(Redis.from_url(redis_url(DB)))

    engine.attach(Recorder())
    between = [vars(holder)[name] for holder, name in holders]
    engine.detach()

    assert all(one is not two for one, two in zip(before, between, strict=True))
    assert [vars(holder)[name] for holder, name in holders] == before
    engine.client.close()


def test_a_job_that_began_before_the_engine_was_attached_is_not_told(bench):
    task_id = bench.send("slow", "early")

    async def attach(worker):
        await begun(worker, task_id)
        bench.engine.attach(bench.emit)
        (bench.folder / "release-early").touch()

    bench.engine.detach()
    bench.work(attach)

    assert bench.emit.kinds(task_id) == [EventKind.ENQUEUED]


# Finding.


def test_a_pool_and_a_worker_with_a_pool_are_found_when_they_are_made(bench):
    found = []
    z4j_arq.detect(None, found.append)

    async def make():
        settings = RedisSettings.from_dsn(bench.url)
        pool = await create_pool(settings, default_queue_name="shop:queue")
        worker = Worker([arq_shop.ok], redis_pool=pool, handle_signals=False)
        engines = adapt(pool), adapt(worker)
        assert "shop:queue" in engines[0].pools.queues()
        await pool.close(close_connection_pool=True)
        return engines

    one, two = asyncio.run(make())

    assert one is two
    assert one in found
    assert one.app == redis_place(bench.client.connection_pool)


def test_a_worker_without_a_pool_reports_itself_later():
    async def make():
        return Worker([arq_shop.ok], handle_signals=False)

    with pytest.raises(ValueError, match="reports itself"):
        adapt(asyncio.run(make()))


def test_a_verb_has_connections_of_its_own(bench):
    pool = pool_of(bench.url)

    client = client_like(pool)

    assert redis_place(client.connection_pool) == redis_place(pool.connection_pool)
    assert client.ping()
    client.close()


def test_other_ways_to_redis_are_taken_over():
    tls = client_like(ArqRedis(host="h", ssl=True, ssl_cert_reqs="none", password="p"))
    unix = client_like(ArqRedis(unix_socket_path="/tmp/redis.sock", db=3))
    hosts = [("one", 26379), ("two", 26380)]
    master = Sentinel(hosts, sentinel_kwargs={"password": "s"}, db=2)
    watched = client_like(master.master_for("mine", redis_class=ArqRedis))

    assert tls.connection_pool.connection_class is redis_py.SSLConnection
    assert tls.connection_pool.connection_kwargs["password"] == "p"
    assert unix.connection_pool.connection_kwargs["path"] == "/tmp/redis.sock"
    assert watched.connection_pool.service_name == "mine"
    asked = watched.connection_pool.sentinel_manager.sentinels
    assert [s.connection_pool.connection_kwargs["host"] for s in asked] == ["one", "two"]


# Names and bytes.


def test_tasks_of_a_setting_are_those_of_its_worker(monkeypatch):
    async def nightly(ctx, day: int = 1):
        """Tidy up."""

    limited = func(arq_shop.hard, name="limited", timeout=1, max_tries=3)
    settings = type("Settings", (), {
        "functions": [arq_shop.ok, limited], "cron_jobs": [cron(nightly, hour=3)],
        "queue_name": "shop:queue",
    })  # fmt: skip
    monkeypatch.setattr(arq_shop, "Settings", settings, raising=False)

    found = {each.name: each for each in Names(["arq_shop.Settings"]).discover()}

    (nightly_name,) = set(found) - {"ok", "limited"}
    assert {each.queue for each in found.values()} == {"shop:queue"}
    assert (found["limited"].timeout_s, found["limited"].max_retries) == (1, 2)
    assert nightly_name.startswith("cron:")
    assert found[nightly_name].doc == "Tidy up."
    assert [(p.name, p.annotation) for p in found[nightly_name].params] == [("day", "int")]


def test_a_setting_that_does_not_import_is_tried_once():
    names = Names(["no_such_module_anywhere.WorkerSettings"])

    with pytest.raises(ImportError):
        names.discover()

    assert names.discover() == []


def test_a_name_is_learned_from_what_is_sent(bench):
    bench.send("nowhere", 1)

    (found,) = bench.engine.discover()
    assert (found.name, found.queue, found.module, found.params) == (
        "nowhere", bench.queue, None, (),
    )  # fmt: skip


def test_what_was_not_packed_here_is_refused():
    with pytest.raises(Unsupported):
        unpack(Native("ok", b"\x00\x00"))


def test_what_is_packed_is_unpacked():
    assert unpack(pack("id", "queue", "ok", b"\x00data")) == ("id", "queue", b"\x00data")


@pytest.mark.parametrize("data", [b"", b"{", b"\x80\x05", b"[1]", b'{"f": 1}', b"\xff" * 9])
def test_what_cannot_be_read_is_opaque(data):
    call = call_in(data)

    assert call.task is None
    assert call.opaque


def test_arguments_that_are_none_are_opaque():
    assert call_in(b'{"f": "ok", "a": 1, "k": {}}')[:2] == ("ok", None)


def test_every_step_of_arq_that_is_heard_is_guarded(bench):
    class Broken(Hooks):
        def began(self, *_):
            raise RuntimeError("ours")

        def finished(self, *_):
            raise RuntimeError("ours")

    bench.engine.detach()
    emit = Recorder()
    broken = Broken(bench.engine.place, emit, Names([]), bench.engine.pools)
    broken.plant()
    task_id = bench.send("ok", 1)

    worker = bench.work()

    broken.remove()
    assert worker.jobs_complete == 1
    assert bench.engine.fetch(task_id).state is TaskState.SUCCEEDED
    assert [str(error) for error in emit.hook_errors] == ["ours", "ours"]


def test_arq_is_called_as_it_was_written():
    """Fails on the day a version of arq moves what is wrapped."""
    assert all(hasattr(holder, name) for holder, name, _ in seams._WANTED)
    assert arq.worker.no_result is not None
