"""Jobs of arq that are cancelled before, while and after they run."""

import asyncio

import pytest
from arq_bench import begun, until
from redis import Redis
from redis.exceptions import WatchError
from z4j_arq import ArqEngine
from z4j_core import (
    EventKind,
    Stop,
    TaskState,
)
from z4j_core.invoke import Answering

pytestmark = pytest.mark.filterwarnings("default")


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
    before = set(bench.client.scan_iter("arq:*"))

    assert Answering(bench.engine).cancel("nobody") is Stop.NOT_HERE

    assert set(bench.client.scan_iter("arq:*")) == before


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
