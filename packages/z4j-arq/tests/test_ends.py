"""How jobs of arq end, also where no hook of arq knows."""

import asyncio
import time

import arq_shop
import pytest
from arq import Worker, func
from arq.jobs import Job as ArqJob
from arq_bench import begun, until
from z4j_arq.message import unpack
from z4j_core import (
    EventKind,
    Stop,
)
from z4j_core.invoke import Answering

pytestmark = pytest.mark.filterwarnings("default")


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
        await until(lambda: EventKind.RETRYING in bench.emit.kinds(task_id))
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
