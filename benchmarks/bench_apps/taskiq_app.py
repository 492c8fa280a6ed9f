"""taskiq, one process."""

import asyncio

from taskiq_redis import ListQueueBroker

from bench_apps import work

broker = ListQueueBroker(work.URL, queue_name=work.QUEUE)


@broker.task
async def compute(times):
    work.compute(times)


@broker.task
async def last(done):
    work.last(done)


async def _send(times, count, done):
    await broker.startup()
    for _ in range(count):
        await compute.kiq(times)
    await last.kiq(done)
    await broker.shutdown()


def send(times, count, done):
    asyncio.run(_send(times, count, done))
