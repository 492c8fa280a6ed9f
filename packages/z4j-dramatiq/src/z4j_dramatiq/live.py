"""The messages that are being processed here. The rule: only an actor's own code is interrupted.

An exception set in a thread comes at its next bytecode, wherever that is: in Dramatiq's own loop it
would end the worker's thread. So it is set under a lock that the thread takes on its way out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from dramatiq.threading import Interrupt, is_gevent_active

Raise = Callable[[Any, type[BaseException]], bool]


class Cancelled(Interrupt):
    """Raised in a running actor to cancel it; no `Exception`, so that few catch it."""

    def __init__(self) -> None:
        super().__init__("cancelled by an operator")


class NotRetried(str):
    """What `throws` says of a message that was cancelled: like a class, and yet plain text.

    Middleware that sends the message's options on encodes them, which it cannot do with a class.
    """

    __slots__ = ()

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, Cancelled)


NOT_RETRIED = NotRetried("cancelled")


class Live:
    """One attempt while its worker thread or greenlet has it."""

    def __init__(self, message: Any, attempt: int) -> None:
        self.message = message
        self.attempt = attempt
        self.is_resent = False
        self.due_at: float | None = None
        self.native: Any = None
        self.has_begun = False
        self._place = _place()
        self._is_armed = False
        self._is_wanted = False
        self._has_left = False
        self._leaving = threading.Lock()

    def perform(self, call: Callable[[], Any]) -> Any:
        """Run the actor's code; from here until it has returned it may be interrupted."""
        self.has_begun = True
        try:
            return self._performed(call)
        except Cancelled:
            self.message.options["throws"] = NOT_RETRIED
            raise

    def interrupt(self, interrupt: Raise) -> bool:
        """Make its thread leave the actor's code, or never enter it; False when it has left."""
        with self._leaving:
            if self._has_left:
                return False
            was_wanted, self._is_wanted = self._is_wanted, True
            if not self._is_armed or was_wanted:
                return True
            return interrupt(self._place, Cancelled)

    def _performed(self, call: Callable[[], Any]) -> Any:
        try:
            with self._leaving:
                self._is_armed = True
            if self._is_wanted:
                raise Cancelled
            return call()
        finally:
            with self._leaving:
                self._has_left = True
            if self._is_wanted and not isinstance(self._place, int):
                # What was thrown into this greenlet waits for the loop to come round.
                import_module("gevent").sleep(0)


LIVE: dict[int, Live] = {}
"""What is being processed, by the thread or greenlet that does it."""


def here() -> Live | None:
    """The attempt this thread or greenlet has."""
    return LIVE.get(threading.get_ident())


def begin(message: Any, attempt: int) -> Live:
    """This thread or greenlet begins with a message."""
    live = LIVE[threading.get_ident()] = Live(message, attempt)
    return live


def leave(message: Any) -> Live | None:
    """It is done with it."""
    live = here()
    if live is None or live.message is not message:
        return None
    return LIVE.pop(threading.get_ident())


def of(task_id: str) -> Live | None:
    """The attempt of a task that is being processed here."""
    found = (live for live in list(LIVE.values()) if live.message.message_id == task_id)
    return next(found, None)


def is_green() -> bool:
    """Whether threads are greenlets in this process."""
    ask: Any = is_gevent_active
    return bool(ask())


def _place() -> Any:
    """Where to interrupt: a thread's id, or the greenlet."""
    if is_green():
        return import_module("gevent").getcurrent()
    return threading.get_ident()
