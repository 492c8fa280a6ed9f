"""Dramatiq, one thread."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench_apps import work

broker = RedisBroker(url=work.URL)
dramatiq.set_broker(broker)
compute = dramatiq.actor(work.compute, queue_name=work.QUEUE)
last = dramatiq.actor(work.last, queue_name=work.QUEUE)


def send(times, count, done):
    for _ in range(count):
        compute.send(times)
    last.send(done)
