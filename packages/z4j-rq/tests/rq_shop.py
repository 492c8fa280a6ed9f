"""The tasks of the rigs, as `z4j_testing.engine.rig` lists them."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

from redis import Redis
from rq import Queue, get_current_job
from rq.decorators import job

SLOW_S = 20.0
task = job("default", connection=Redis.from_url(os.environ.get("RIG_BROKER", "redis://")))


def folder():
    return Path(os.environ["RIG_MARKS"])


def mark(name, value):
    line = (json.dumps(value) + "\n").encode()
    file = folder() / f"{name}.jsonl"
    descriptor = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, line)
    os.close(descriptor)


def times(name):
    """How often this job has come here."""
    file = folder() / f"{name}-{get_current_job().id}.jsonl"
    mark(file.stem, 1)
    return len(file.read_text().splitlines())


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
    if times("flaky") <= n:
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
    for _ in range(int(SLOW_S / 0.02)):
        time.sleep(0.02)


@task
def slow(token):
    try:
        mark("began", token)
        for _ in range(int(SLOW_S / 0.02)):
            if (folder() / f"release-{token}").exists():
                break
            time.sleep(0.02)
        mark("done", token)
    finally:
        mark("finally", token)
    return token


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
