"""One verb on one engine. The rule: it ends within its time and every error becomes a code."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from .errors import Refused, Unsupported, Z4JError

VERB_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: `code` is empty when it worked."""

    value: Any = None
    code: str = ""
    detail: str = ""
    rule: str = ""

    @property
    def ok(self) -> bool:
        """Whether it worked."""
        return not self.code


def invoke(
    call: Callable[[], Any],
    *,
    timeout_s: float = VERB_TIMEOUT_S,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Outcome:
    """Run `call` and wait at most `timeout_s` seconds.

    A plain call runs in a daemon thread of its own; what it awaits runs on `loop`, the engine's
    own, else on one that lives only for this call. Out of time means `engine.indeterminate`.
    """
    box: list[Outcome] = []
    context = contextvars.copy_context()

    def run() -> None:
        box.append(context.run(answered, call, timeout_s=timeout_s, loop=loop))

    thread = threading.Thread(target=run, name="z4j-verb", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if box:
        return box[0]
    return Outcome(code="engine.indeterminate", detail=f"no answer within {timeout_s:g} s")


def answered(
    call: Callable[[], Any],
    *,
    timeout_s: float = VERB_TIMEOUT_S,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Outcome:
    """Run `call` in this thread, which may wait; only what it awaits ends within `timeout_s`."""
    return attempt(lambda: _answer(call, timeout_s, loop))


def outcome_of(error: BaseException) -> Outcome:
    """The code of an error of a verb."""
    if isinstance(error, Refused):
        return Outcome(code=error.code, detail=str(error), rule=error.rule)
    if isinstance(error, Unsupported):
        return Outcome(code=error.code, detail=f"{error.reason}: {error}")
    if isinstance(error, Z4JError):
        return Outcome(code=error.code, detail=str(error))
    return Outcome(code="engine.error", detail=f"{type(error).__name__}: {error}"[:2048])


def attempt(call: Callable[[], Any]) -> Outcome:
    """Run `call` here and now; whatever it raises becomes a code."""
    try:
        return Outcome(value=call())
    except TimeoutError:
        return Outcome(code="engine.indeterminate", detail="no answer in time")
    except Exception as error:  # whatever an engine or its client raises is an answer
        return outcome_of(error)


class Answering:
    """An engine whose verbs have answered when they return, awaitable or not.

    What a verb awaits runs on the engine's own `loop` while that runs, else on one that lives for
    this call alone; a verb that is called on the engine's loop itself would wait for itself.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if not callable(found):
            return found

        @wraps(found)
        def answered(*args: Any, **kwargs: Any) -> Any:
            loop = getattr(self._engine, "loop", None)
            return _answer(lambda: found(*args, **kwargs), VERB_TIMEOUT_S, loop)

        return answered


def _answer(
    call: Callable[[], Any], timeout_s: float, loop: asyncio.AbstractEventLoop | None
) -> Any:
    value = call()
    return _awaited(value, timeout_s, loop) if inspect.isawaitable(value) else value


def _awaited(value: Any, timeout_s: float, loop: asyncio.AbstractEventLoop | None) -> Any:
    async def wait() -> Any:
        return await asyncio.wait_for(value, timeout_s)

    if loop is not None and loop.is_running():
        return asyncio.run_coroutine_threadsafe(wait(), loop).result(timeout_s)
    return asyncio.run(wait())
