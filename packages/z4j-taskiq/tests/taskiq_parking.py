"""Runs on brokers without a server, one after the other."""

import asyncio

from taskiq import (
    TaskiqMiddleware,
)
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver
from z4j_core import EventKind
from z4j_core.model.tasks import ENDS

WAIT_S = 10
E, S, R, F, C = (EventKind.ENQUEUED, EventKind.STARTED, EventKind.RETRYING, EventKind.FAILED,
                 EventKind.CANCELLED)  # fmt: skip


async def work(broker, *, but=()):
    """Run all that waits, and what that sends, one after the other."""
    receiver = Receiver(broker, max_async_tasks=2)
    while broker.parked:
        raw = broker.parked.pop(0)
        if raw not in but:
            await receiver.callback(raw)


async def sent(broker, task, *args, **labels):
    known = broker.find_task(task)
    labels = {**(known.labels if known else {}), **labels}
    return (await AsyncKicker(task, broker, labels).kiq(*args)).task_id


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, WAIT_S))


async def until(told):
    """Let others go on until something is so; `run` gives up."""
    while not told():  # noqa: ASYNC110  (what it waits for knows no event)
        await asyncio.sleep(0.001)


def is_blocked(client):
    return [each for each in client.client_list() if each["cmd"] == "brpop"]


def ends(emit, task_id):
    return [event.kind for event in emit.of(task_id) if event.kind in ENDS]


async def failing():
    raise ValueError("no")


class Last(TaskiqMiddleware):
    """What an app adds after it has made its broker."""
