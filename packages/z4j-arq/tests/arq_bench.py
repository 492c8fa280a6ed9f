"""An engine that is attached, what it says, and the host's side of arq."""

import asyncio
import time

import arq_shop
from arq import Worker
from arq_inside import KEYS, pool_of
from redis import Redis
from z4j_arq import ArqEngine
from z4j_core.model.tasks import ENDS
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url
from z4j_testing.signals import WAIT_S

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


async def until(found):
    """Wait on the worker's own loop, where nothing could wake us."""
    async with asyncio.timeout(WAIT_S):
        while not found():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def begun(worker, task_id):
    """Wait until a job's own code runs."""
    await until(lambda: task_id in worker.job_tasks)
