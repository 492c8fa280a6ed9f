"""The tasks of the rigs, as `z4j_testing.engine.rig` lists them, for any Huey instance."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import huey as huey_package
from huey.exceptions import CancelExecution, RetryTask

SLOW_S = 20.0
HAS_TIMEOUT = hasattr(huey_package.exceptions, "TaskTimeout")
OPTIONS = {
    "flaky": {"retries": 9, "context": True}, "stubborn": {"retries": 3},
    "doomed": {"retries": 2}, "again": {"context": True},
    "hard": {"timeout": 1} if HAS_TIMEOUT else {},
}  # fmt: skip
here = {}
"""The tasks of the instance that runs in this process."""


def never(_now):
    """No time of day."""
    return False


def made(huey):
    """The tasks of an instance by name."""
    tasks = {each.__name__: huey.task(**OPTIONS.get(each.__name__, {}))(each) for each in TASKS}
    tasks["nightly"] = huey.periodic_task(never)(nightly)
    return tasks


def folder():
    return Path(os.environ["RIG_MARKS"])


def mark(name, value):
    line = (json.dumps(value) + "\n").encode()
    file = folder() / f"{name}.jsonl"
    descriptor = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, line)
    os.close(descriptor)


def times(name, task):
    """How often this task has come here."""
    file = folder() / f"{name}-{task.id}.jsonl"
    mark(file.stem, 1)
    return len(file.read_text().splitlines())


def nightly():
    return "done"


def ok(a, b=2):
    return {"sum": a + b}


def echo(*args, **kwargs):
    mark("echo", [args, kwargs])


def pause(seconds):
    time.sleep(seconds)


def looped():
    return asyncio.run(asyncio.sleep(0, "looped"))


def secret(order, password):
    return None


def parent():
    return here["ok"](1).id


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


def flaky(n, task=None):
    if times("flaky", task) <= n:
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


def deaf(token):
    """A blocking call of its own: nothing of ours runs until it returns."""
    try:
        mark("began", token)
        time.sleep(SLOW_S)
    finally:
        mark("finally", token)


def again(task=None):
    """Asks for a retry that it was not given."""
    if times("again", task) == 1:
        raise RetryTask("once more")
    return "second"


def skipped():
    raise CancelExecution


def swallows(token):
    """Catches what it may."""
    try:
        slow(token)
    except Exception:  # noqa: BLE001  (as apps do)
        return "swallowed"


TASKS = (
    ok, echo, pause, looped, secret, parent, unstorable, fail, echo_then_fail, flaky_once_ever,
    flaky, doomed, crash, hard, slow, stubborn, deaf, again, skipped, swallows,
)  # fmt: skip
