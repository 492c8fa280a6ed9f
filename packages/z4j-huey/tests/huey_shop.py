"""The tasks of the rigs, as `z4j_testing.engine.rig` lists them, for any Huey instance."""

import asyncio
import os
import signal
import time

import huey as huey_package
from huey.exceptions import CancelExecution, RetryTask
from z4j_testing.marks import LOOK_S, SLOW_S, folder, held_up, mark, times

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
    if times(f"flaky-{task.id}") <= n:
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


def deaf(token):
    """A blocking call of its own: nothing of ours runs until it returns."""
    try:
        mark("began", token)
        time.sleep(SLOW_S)
    finally:
        mark("finally", token)


def again(task=None):
    """Asks for a retry that it was not given."""
    if times(f"again-{task.id}") == 1:
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
