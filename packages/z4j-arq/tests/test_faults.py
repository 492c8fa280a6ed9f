"""Whatever fails in z4j, jobs of arq run and end as they would without it."""

import asyncio
import time

import pytest
from arq import Retry, Worker, func
from arq.jobs import Job
from arq_inside import pool_of
from redis import Redis
from z4j_arq import ArqEngine
from z4j_testing import work
from z4j_testing.engine.faults import TestFaults  # noqa: F401  (these are the tests)
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
KEPT_S = 60


async def good(_ctx, word, number):
    return work.good(word, number)


async def bad(_ctx, word, number):
    return work.bad(word, number)


async def again(_ctx, word, number):
    try:
        return work.again(word, number)
    except KeyError as error:
        raise Retry from error


class Host:
    """A queue, and a worker that performs what waits in it."""

    def __init__(self):
        self.url = redis_url(12)
        self.queue = f"z4j-faults-{time.time_ns()}"
        self.engine = ArqEngine(Redis.from_url(self.url), tasks=[])
        self.runner = asyncio.Runner()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.detach()
        self.engine.client.delete(self.queue, f"{self.queue}:health-check")
        self.engine.client.close()
        self.runner.close()

    def act(self, word, count):
        return self.runner.run(self._act(word, count))

    async def _act(self, word, count):
        pool = pool_of(self.url, self.queue)
        jobs = [
            await pool.enqueue_job(kind, word, number, _expires=KEPT_S)
            for kind in work.KINDS
            for number in range(count)
        ]
        worker = Worker(
            [func(each, keep_result=KEPT_S) for each in (good, bad, again)], redis_pool=pool,
            queue_name=self.queue, burst=True, poll_delay=0.001, handle_signals=False,
        )  # fmt: skip
        await worker.async_run()
        ends = [await self.end(Job(job.job_id, pool, self.queue)) for job in jobs]
        await pool.delete(*(f"arq:result:{job.job_id}" for job in jobs))
        await worker.close()
        return ends

    async def end(self, job):
        info = await job.result_info()
        return f"{info.success} {info.job_try} {info.result!r}"


@pytest.fixture
def make_host():
    return Host
