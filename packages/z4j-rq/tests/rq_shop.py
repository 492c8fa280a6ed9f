"""The tasks of the rigs, as `z4j_testing.engine.rig` lists them."""

import asyncio
import os
import signal
import time

from redis import Redis
from rq import Queue, get_current_job
from rq.decorators import job
from z4j_testing.marks import LOOK_S, SLOW_S, folder, held_up, mark, times

task = job("default", connection=Redis.from_url(os.environ.get("RIG_BROKER", "redis://")))


@task
def ok(a, b=2):
    return {"sum": a + b}


@task
def echo(*args, **kwargs):
    mark("echo", [args, kwargs])


@task
def pause(seconds):
    time.sleep(seconds)


@task
def looped():
    return asyncio.run(asyncio.sleep(0, "looped"))


@task
def secret(order, password):
    return None


@task
def parent():
    now = get_current_job()
    queue = Queue(now.origin, connection=now.connection)
    return queue.enqueue("rq_shop.ok", 1).id


@task
def unstorable():
    return lambda: None


@task
def fail(text):
    raise ValueError(text)


@task
def echo_then_fail(*args, **kwargs):
    mark("echo_then_fail", [args, kwargs])
    raise ValueError("after the echo")


@task
def flaky_once_ever(key):
    try:
        (folder() / f"once-{key}").touch(exist_ok=False)
    except FileExistsError:
        return "chained"
    raise ValueError("first time")


@task
def flaky(n):
    if times(f"flaky-{get_current_job().id}") <= n:
        raise KeyError("again")
    return n


@task
def doomed():
    raise LookupError("never")


@task
def crash():
    os.kill(os.getpid(), signal.SIGKILL)


@task
def hard():
    for _ in range(int(SLOW_S / LOOK_S)):
        time.sleep(LOOK_S)


@task
def slow(token):
    return held_up(token, time.sleep)


@task
def stubborn(token):
    return slow(token)


@task
def deaf(token):
    """A blocking call of its own: nothing of ours runs until it returns."""
    try:
        mark("began", token)
        time.sleep(SLOW_S)
    finally:
        mark("finally", token)


@task
def swallows(token):
    """Catches what it may."""
    try:
        slow(token)
    except Exception:  # noqa: BLE001  (as apps do)
        mark("swallowed", token)
