"""What stands in the queues of arq."""

import pytest
from arq_bench import begun, until
from arq_inside import Trap
from z4j_arq.message import unpack
from z4j_core import (
    EventKind,
    TaskNotFound,
    TaskState,
)

pytestmark = pytest.mark.filterwarnings("default")


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
