"""One verb ends in its time and every error is a code."""

from __future__ import annotations

import asyncio
import threading

import pytest
from z4j_core import EngineUnavailable, Indeterminate, Refused, TaskNotFound, Unsupported
from z4j_core.invoke import invoke


def raising(error):
    def call():
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TaskNotFound("x"), "task.not_found"),
        (Unsupported("pool"), "engine.unsupported"),
        (EngineUnavailable("x"), "engine.unavailable"),
        (Indeterminate("x"), "engine.indeterminate"),
        (Refused("policy.level", "x", "observe"), "policy.level"),
        (KeyError("x"), "engine.error"),
        (TimeoutError("x"), "engine.indeterminate"),
    ],
)
def test_an_error_becomes_its_code(error, code):
    assert invoke(raising(error)).code == code


def test_a_value_is_handed_on():
    assert invoke(lambda: 3).value == 3


def test_what_hangs_is_indeterminate_and_left_behind():
    stuck = threading.Event()

    outcome = invoke(stuck.wait, timeout_s=0.05)
    stuck.set()

    assert outcome.code == "engine.indeterminate"


def test_an_async_verb_runs_on_the_loop_of_its_engine():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def verb():
        return threading.current_thread() is thread

    outcome = invoke(verb, loop=loop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()

    assert outcome.value is True


def test_an_async_verb_without_a_loop_gets_one_for_itself():
    async def verb():
        await asyncio.sleep(0)
        return "done"

    assert invoke(verb).value == "done"


def test_an_async_verb_that_hangs_is_indeterminate():
    async def verb():
        await asyncio.Event().wait()

    assert invoke(verb, timeout_s=0.05).code == "engine.indeterminate"
