"""arq, with its own defaults."""

import asyncio

from arq import create_pool
from arq.connections import RedisSettings

from bench_apps import work

SETTINGS = RedisSettings.from_dsn(work.URL)


async def compute(_ctx, times):
    work.compute(times)


async def last(_ctx, done):
    work.last(done)


class WorkerSettings:
    functions = (compute, last)
    queue_name = work.QUEUE
    redis_settings = SETTINGS
    keep_result = 0
    poll_delay = 0.01


async def _send(times, count, done):
    pool = await create_pool(SETTINGS, default_queue_name=work.QUEUE)
    for _ in range(count):
        await pool.enqueue_job("compute", times)
    await pool.enqueue_job("last", done)
    await pool.aclose()


def send(times, count, done):
    asyncio.run(_send(times, count, done))
