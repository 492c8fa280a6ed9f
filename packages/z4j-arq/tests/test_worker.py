"""Workers of arq: their life, their size, what is planted in them."""

import asyncio

import arq.worker
import arq_shop
import pytest
import z4j_arq
from arq import Worker, cron, func
from arq.worker import get_kwargs
from arq_bench import DB, begun, until
from redis import Redis
from z4j_arq import ArqEngine, seams
from z4j_arq.hooks import Hooks
from z4j_arq.inventory import resized, slots_of
from z4j_arq.names import Names
from z4j_core import (
    Capability,
    EventKind,
    TaskNotFound,
    TaskState,
    capabilities,
)
from z4j_core.invoke import Answering
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")


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
        await until(
            lambda: worker.jobs_complete and all(each.done() for each in worker.tasks.values())
        )
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
