"""One verb ends in its time and every error is a code."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from contextvars import ContextVar

import pytest
from z4j_core import (
    EngineUnavailable,
    Indeterminate,
    Refused,
    Scope,
    Stop,
    TaskNotFound,
    Unsupported,
)
from z4j_core.agent.verbs import halves
from z4j_core.invoke import Answering, invoke


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


ORIGIN = ContextVar("origin", default=None)


class Awaitable:
    """An engine that says on which thread its verbs run, and why."""

    def __init__(self, loop=None):
        self.loop = loop

    def discover(self):
        return ["plain"]

    async def depth(self, queue):
        return queue, threading.current_thread(), ORIGIN.get()

    async def cancel(self, task_id, *, scope):
        return Stop.ASKED if scope is Scope.PROCESS else Stop.NOT_HERE


@contextmanager
def running_loop():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop, thread
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_an_awaitable_verb_has_answered_from_its_engines_loop_with_the_callers_context():
    token = ORIGIN.set("a command")
    try:
        with running_loop() as (loop, thread):
            engine = Answering(Awaitable(loop))
            outcome = invoke(lambda: engine.depth("mail"))
    finally:
        ORIGIN.reset(token)

    assert outcome.value == ("mail", thread, "a command")


def test_an_awaitable_verb_answers_though_its_engines_loop_is_over():
    with running_loop() as (loop, _):
        engine = Answering(Awaitable(loop))

    assert invoke(lambda: engine.depth("mail")[0]).value == "mail"


def test_a_plain_verb_of_such_an_engine_answers_as_it_did():
    assert Answering(Awaitable()).discover() == ["plain"]


def test_each_half_of_an_awaitable_cancel_is_asked():
    engine = Answering(Awaitable())

    assert halves(engine.cancel, "t1", Scope.BROKER | Scope.PROCESS) is Stop.ASKED
