"""The tasks of the rigs, as `z4j_testing.engine.rig` lists them, declared on a broker."""

import asyncio
import os
import signal
import time

import dramatiq
from dramatiq.middleware import CurrentMessage
from z4j_testing.marks import LOOK_S, SLOW_S, folder, held_up, mark

SOON = {"min_backoff": 10, "max_backoff": 50}


def ok(a, b=2):
    return {"sum": a + b}


def echo(*args, **kwargs):
    mark("echo", [args, kwargs])


def pause(seconds):
    time.sleep(seconds)


def looped():
    return asyncio.run(asyncio.sleep(0, "looped"))


def unstorable():
    return lambda: None


def fail(text):
    raise ValueError(text)


def echo_then_fail(*args, **kwargs):
    mark("echo_then_fail", [args, kwargs])
    raise ValueError("after the echo")


def flaky_once_ever(key):
    try:
        (folder() / f"once-{key}").touch(exist_ok=False)
    except FileExistsError:
        return "chained"
    raise ValueError("first time")


def flaky(n):
    if CurrentMessage.get_current_message().options.get("retries", 0) < n:
        raise KeyError("again")
    return n


def doomed():
    raise LookupError("never")


def crash():
    os.kill(os.getpid(), signal.SIGKILL)


def hard():
    for _ in range(int(SLOW_S / LOOK_S)):
        time.sleep(LOOK_S)


def slow(token):
    return held_up(token, time.sleep)


def stubborn(token):
    return slow(token)


def changes(items, extra=None):
    """Spoils what it was given before it fails."""
    mark("changes", [sorted(items), extra])
    items.clear()
    raise ValueError("after the change")


OPTIONS = {
    "flaky": {"max_retries": 9, **SOON},
    "stubborn": {"max_retries": 3, **SOON},
    "doomed": {"max_retries": 2, **SOON},
    "hard": {"max_retries": 0, "time_limit": 1000},
}
TASKS = (
    ok, echo, pause, looped, unstorable, fail, echo_then_fail, flaky_once_ever, flaky, doomed,
    crash, hard, slow, stubborn, changes,
)  # fmt: skip


def declare(broker, queue):
    """Declare all tasks on a broker; returns them by name."""
    broker.add_middleware(CurrentMessage())
    actors = {}

    def parent():
        return actors["ok"].send(1).message_id

    for task in (*TASKS, parent):
        options = OPTIONS.get(task.__name__, {"max_retries": 0})
        actors[task.__name__] = dramatiq.actor(broker=broker, queue_name=queue, **options)(task)
    return actors


def made(url, queue):
    """A broker with all tasks."""
    if url.startswith("redis"):
        from dramatiq.brokers.redis import RedisBroker

        quick = {"heartbeat_timeout": 3000, "maintenance_chance": 1_000_000}
        broker = RedisBroker(url=url, **(quick if os.environ.get("RIG_QUICK") else {}))
    else:
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        broker = RabbitmqBroker(url=url, max_priority=10)
    return broker, declare(broker, queue)
