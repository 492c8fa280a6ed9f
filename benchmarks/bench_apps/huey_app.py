"""Huey, one thread."""

from huey import RedisHuey

from bench_apps import work

huey = RedisHuey(work.QUEUE, url=work.URL, results=False)
compute = huey.task()(work.compute)
last = huey.task()(work.last)


def send(times, count, done):
    for _ in range(count):
        compute(times)
    last(done)
