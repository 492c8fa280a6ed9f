"""The tasks of the rigs, as `z4j_testing.engine.rig` lists them, and the brokers they go to."""

import asyncio
import os
import signal
import time
from typing import Annotated

from taskiq import Context, SimpleRetryMiddleware, TaskiqDepends
from taskiq.exceptions import NoResultError
from z4j_testing.marks import LOOK_S, SLOW_S, mark, released, times

LABELS = {
    "flaky": {"retry_on_error": True, "max_retries": 10},
    "doomed": {"retry_on_error": True, "max_retries": 3},
    "stubborn": {"retry_on_error": True, "max_retries": 4},
    "evading": {"retry_on_error": True, "max_retries": 4},
    "hard": {"timeout": 1},
}
TASKS = []
Here = Annotated[Context, TaskiqDepends()]


def task(function):
    TASKS.append(function)
    return function


def register(broker):
    """Make the tasks those of a broker, and let it retry."""
    broker.with_middlewares(SimpleRetryMiddleware())
    for function in TASKS:
        name = function.__name__.partition("__taskiq")[0]
        broker.register_task(function, task_name=f"taskiq_shop:{name}", **LABELS.get(name, {}))
    return broker


@task
async def ok(a, b=2):
    return {"sum": a + b}


@task
async def echo(*args, **kwargs):
    mark("echo", [args, kwargs])


@task
async def pause(seconds):
    await asyncio.sleep(seconds)


@task
async def secret(order, password):
    return None


@task
async def parent(context: Here):
    sent = await context.broker.find_task("taskiq_shop:ok").kiq(1)
    return sent.task_id


@task
async def unstorable():
    return lambda: None


@task
async def fail(text):
    raise ValueError(text)


@task
async def echo_then_fail(*args, **kwargs):
    mark("echo_then_fail", [args, kwargs])
    raise ValueError("after the echo")


@task
async def flaky(n, context: Here):
    if times(f"flaky-{context.message.task_id}") <= n:
        raise KeyError("again")
    return n


@task
async def doomed():
    raise LookupError("never")


@task
async def crash():
    os.kill(os.getpid(), signal.SIGKILL)


@task
async def hard():
    await asyncio.sleep(SLOW_S)


@task
async def ignored():
    raise NoResultError


@task
async def rejected(context: Here):
    context.reject()


@task
async def requeued(context: Here):
    if times(f"requeued-{context.message.task_id}") == 1:
        await context.requeue()
    return "second"


@task
async def slow(token):
    try:
        mark("began", token)
        for _ in range(int(SLOW_S / LOOK_S)):
            if released(token):
                break
            await asyncio.sleep(LOOK_S)
        mark("done", token)
    finally:
        mark("finally", token)
    return token


@task
async def stubborn(token):
    return await slow(token)


@task
async def evading(token):
    """What it raises when it is cancelled is something else, which would be retried."""
    try:
        return await slow(token)
    except asyncio.CancelledError:
        raise LookupError("evaded") from None


@task
async def deaf(seconds):
    """It blocks the event loop it runs in."""
    mark("deaf", seconds)
    time.sleep(seconds)  # noqa: ASYNC251  (that is the point)


@task
def plain(token):
    """No coroutine: it runs in a thread."""
    mark("began", token)
    for _ in range(int(SLOW_S / LOOK_S)):
        if released(token):
            break
        time.sleep(0.02)
    mark("done", token)
    return token
