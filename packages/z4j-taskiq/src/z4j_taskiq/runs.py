"""One attempt while it runs here. The rule: only the task's own code is cancelled.

A cancel that hit taskiq's code around the task would cost the acknowledgement and the end. So it
waits until the last middleware has passed the message on, and comes too late once the first has
got it back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from z4j_core import Stop

ENDED_KEPT = 1000
RETRY_LABEL = "retry_on_error"


class Arrived(NamedTuple):
    """A message as it came: its id, its bytes, and its task's name if it may not run."""

    task_id: str
    raw: bytes
    revoked: str | None = None


class Run:
    """One attempt from the first middleware to the last."""

    __slots__ = (
        "attempt", "before", "error", "has_left", "hooks", "is_ended", "is_inside", "is_sync",
        "is_told", "is_wanted", "loop", "message", "outer", "raw", "requeues", "retries", "revoked",
        "task", "waiter", "was_resent",
    )  # fmt: skip

    def __init__(self, hooks: Any, message: Any, arrived: Arrived | None) -> None:
        self.hooks = hooks
        self.message = message
        self.raw = arrived.raw if arrived else None
        self.revoked = arrived.revoked if arrived else None
        self.task: Any = asyncio.current_task()
        self.loop = asyncio.get_running_loop()
        self.outer = CURRENT.get()
        self.attempt = 1
        self.retries = self.requeues = 0
        self.error: BaseException | None = None
        self.before: Any = None
        self.waiter: asyncio.Future[None] | None = None
        self.is_inside = self.has_left = self.is_wanted = self.is_ended = self.is_told = False
        self.is_sync = self.was_resent = False

    def enter(self, message: Any) -> None:
        """From here on it is the task's own code; `message` is what its middlewares made of it."""
        self.message = message
        self.is_inside = True
        self._wake()

    def leave(self) -> None:
        """The task's own code is over."""
        if self.is_wanted and not self.has_left and self.task is not None:
            self.task.uncancel()
        self.has_left = True
        self._wake()

    async def cancel(self) -> Stop:
        """Cancel the task's own code, and keep retry middlewares from sending it again."""
        if self.loop is not asyncio.get_running_loop():
            there = asyncio.run_coroutine_threadsafe(self.cancel(), self.loop)
            return await asyncio.wrap_future(there)
        if not self.is_inside and not self.has_left:
            self.waiter = self.waiter or self.loop.create_future()
            await asyncio.shield(self.waiter)
        if self.has_left:
            return Stop.ALREADY
        if not self.is_wanted:
            self.is_wanted = True
            self.message.labels[RETRY_LABEL] = False
            self.task.cancel()
        return Stop.ASKED

    def _wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


@dataclass(slots=True)
class Here:
    """What the brokers of one place share in this process."""

    runs: dict[str, Run] = field(default_factory=dict)
    ended: deque[str] = field(default_factory=lambda: deque(maxlen=ENDED_KEPT))
    loop: asyncio.AbstractEventLoop | None = None


CURRENT: ContextVar[Run | None] = ContextVar("z4j_taskiq_run", default=None)
"""The run whose code this is, also in the thread of a task that is no coroutine."""
ARRIVED: ContextVar[Arrived | None] = ContextVar("z4j_taskiq_arrived", default=None)
"""The message that was decoded last in this asyncio task."""
