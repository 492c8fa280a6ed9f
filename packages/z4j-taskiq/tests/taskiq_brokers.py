"""Brokers of the rigs, by the name of their cell. Worker and producer make theirs here."""

import contextlib
import os

import aio_pika
from nats import connect
from nats.js.errors import NotFoundError
from redis.asyncio import Redis
from taskiq import AsyncBroker
from taskiq_aio_pika import AioPikaBroker
from taskiq_nats import PullBasedJetStreamBroker
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend, RedisStreamBroker
from taskiq_shop import register
from z4j_testing.services import amqp_url, nats_url, redis_url

try:
    from aio_pika import ExchangeType
    from taskiq_aio_pika import Exchange, Queue, QueueType
except ImportError:  # before 0.6 a broker has one queue
    Queue = None


POOL = 20
"""Connections: the oldest client makes room for as many as it may have."""


def make(cell, url, queue, others=()):
    """A broker of a cell that reads `queue`; producers can also name the `others`."""
    return register(KINDS[cell](url, queue, others))


def redis_list(url, queue, _others):
    return ListQueueBroker(
        url, queue_name=queue, max_connection_pool_size=POOL
    ).with_result_backend(kept(url))


def redis_stream(url, queue, _others):
    made = RedisStreamBroker(
        url, queue_name=queue, consumer_group_name=f"{queue}-group", max_connection_pool_size=POOL
    )
    return made.with_result_backend(kept(url))


def kept(url):
    return RedisAsyncResultBackend(url, result_ex_time=60, max_connection_pool_size=POOL)


def rabbitmq(url, queue, others):
    """Workers read one queue; producers can name others, which nobody reads."""
    names = [queue, *others]
    if Queue is None:
        return AioPikaBroker(url, exchange_name=f"{queue}-exchange", queue_name=queue)
    return AioPikaBroker(
        url,
        exchange=Exchange(name=f"{queue}-exchange", type=ExchangeType.DIRECT),
        task_queues=[Queue(name=name, type=QueueType.CLASSIC) for name in names],
        dead_letter_queue=Queue(name=f"{queue}.dead", type=QueueType.CLASSIC),
        delay_queue=Queue(name=f"{queue}.delay", type=QueueType.CLASSIC),
    )


def nats(url, queue, _others):
    name = queue.replace("-", "_")
    return PullBasedJetStreamBroker(url, subject=queue, stream_name=name, durable=f"{name}_workers")


def url_of(cell):
    """Where the broker of a cell is."""
    if cell.startswith("redis"):
        return redis_url(8)
    return amqp_url() if cell == "rabbitmq" else nats_url()


def names(queue):
    """Queues of a rig."""
    return [queue, *(f"{queue}{end}" for end in ENDINGS)]


async def clear(cell, url, queue):
    """Leave nothing of a rig in the broker."""
    if cell.startswith("redis"):
        async with Redis.from_url(url) as client:
            await client.delete(*names(queue))
    elif cell == "rabbitmq":
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel()
            for name in (*names(queue), f"{queue}.dead", f"{queue}.dead_letter", f"{queue}.delay"):
                await channel.queue_delete(name)
            for name in names(queue):
                await channel.exchange_delete(f"{name}-exchange")
    else:
        client = await connect(url)
        for name in names(queue):
            with contextlib.suppress(NotFoundError):
                await client.jetstream().delete_stream(name.replace("-", "_"))
        await client.close()


ENDINGS = ("-parked", "-other", "-barrier")
ROUTES = {"redis-list"}
"""Cells whose sender can name the queue."""
if "queue_name" in RedisStreamBroker.kick.__code__.co_consts:
    ROUTES.add("redis-stream")
if Queue is not None:
    ROUTES.add("rabbitmq")
GAINS = {"rabbitmq": ("eta",)} if Queue is not None else {}
"""What a cell has, and the others have not."""
KINDS = {
    "redis-list": redis_list, "redis-stream": redis_stream, "rabbitmq": rabbitmq, "nats": nats,
}  # fmt: skip


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
