"""The tasks of the rigs, as `z4j_testing.engine.rig` lists them, declared on a broker."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import dramatiq
from dramatiq.middleware import CurrentMessage

SLOW_S = 20.0
SOON = {"min_backoff": 10, "max_backoff": 50}


def folder():
    return Path(os.environ["RIG_MARKS"])


def mark(name, value):
    line = (json.dumps(value) + "\n").encode()
    file = folder() / f"{name}.jsonl"
    descriptor = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, line)
    os.close(descriptor)


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
    for _ in range(int(SLOW_S / 0.02)):
        time.sleep(0.02)


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
