"""Brokers of the rigs, by the name of their cell. Worker and producer make theirs here."""

import os

from taskiq import AsyncBroker
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend, RedisStreamBroker
from taskiq_shop import register


def make(cell, url, queue, others=()):
    """A broker of a cell that reads `queue`; producers can also name the `others`."""
    return register(KINDS[cell](url, queue, others))


def redis_list(url, queue, _others):
    return ListQueueBroker(url, queue_name=queue).with_result_backend(kept(url))


def redis_stream(url, queue, _others):
    made = RedisStreamBroker(url, queue_name=queue, consumer_group_name=f"{queue}-group")
    return made.with_result_backend(kept(url))


def kept(url):
    return RedisAsyncResultBackend(url, result_ex_time=60)


KINDS = {"redis-list": redis_list, "redis-stream": redis_stream}


class Parking(AsyncBroker):
    """A broker without a server: what is sent stays where it is."""

    def __init__(self, url):
        super().__init__()
        self.url = url
        self.parked = []

    async def kick(self, message):
        self.parked.append(message.message)

    async def listen(self):
        for message in self.parked:
            yield message


if "RIG_CELL" in os.environ:
    broker = make(os.environ["RIG_CELL"], os.environ["RIG_BROKER"], os.environ["RIG_QUEUE"])
