"""The task that runs here and how it is stopped. The rule: only a task's own code is interrupted.

A worker of its own process is told by a signal, which also ends a blocking call; a thread by an
exception set in it; a greenlet by one thrown into it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from huey.exceptions import CancelExecution
from z4j_core import EventKind

SIGNAL = signal.SIGUSR1
Interrupt = Callable[[Any, type[BaseException]], bool]
_STEPS = 100


class Interrupted(BaseException):
    """Raised in a running task; no `Exception`: a task that catches those does not go on."""


class Cancelled(CancelExecution):  # type: ignore[misc]  # huey is untyped
    """What Huey sees of it: the task is cancelled and not retried.

    The parameters of CancelExecution are others in each major version: none of them is used.
    """

    def __init__(self) -> None:
        Exception.__init__(self, "cancelled by an operator")
        self.retry = False


class Live:
    """One attempt while it is executed; `where` is its greenlet, if it runs in one."""

    def __init__(self, task: Any, where: Any = None) -> None:
        self.task = task
        self.task_id = str(task.id)
        self.tries_left = int(task.retries or 0)
        self.thread = threading.get_ident()
        self.outcome: tuple[EventKind, str | None] | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.due_at: float | None = None
        self.has_ended = False
        self.before: Live | None = None
        self.wanted: type[BaseException] | None = None
        self._where = where
        self._original = task.execute
        self._is_armed = False
        self._has_left = False
        self._leaving = threading.Lock()
        task.execute = self.run

    def run(self) -> Any:
        """Run the task's code; from here until it has returned it may be interrupted."""
        try:
            return self._run()
        except Interrupted:
            raise Cancelled from None

    def _run(self) -> Any:
        try:
            self._is_armed = True
            if self.wanted is not None:
                raise self.wanted
            self.result = self._original()
            return self.result
        finally:
            with self._leaving:
                self._is_armed, self._has_left = False, True
            if self.wanted is not None:
                self._linger()

    def _linger(self) -> None:
        """Let an interrupt that is under way arrive here instead of in what runs next."""
        if self._where is not None:
            import_module("gevent").sleep(0)
        for _ in range(_STEPS):
            pass

    def stop(self) -> None:
        """Leave the task's code, in its own thread."""
        if self._is_armed and self.wanted is not None:
            self._is_armed = False
            raise self.wanted

    def interrupt(self, interrupt: Interrupt, error: type[BaseException], handler: Any) -> bool:
        """Make another thread stop it; False when its code has returned.

        `handler` is what `listen` was given, and calls `stop` in the main thread.
        """
        with self._leaving:
            if self._has_left:
                return False
            self.wanted = error
            if not self._is_armed:
                return True
            if self.thread == threading.main_thread().ident and is_heard(handler):
                signal.pthread_kill(self.thread, SIGNAL)
                return True
            self._is_armed = False
            return interrupt(self.thread if self._where is None else self._where, error)

    def forget(self) -> None:
        """It is over: the task is as Huey made it."""
        vars(self.task).pop("execute", None)


def listen(handler: Any) -> None:
    """Let the signal through to the task that runs, unless the app uses it itself."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(SIGNAL) in (signal.SIG_DFL, signal.SIG_IGN):
        signal.signal(SIGNAL, handler)


def is_heard(handler: Any) -> bool:
    """Whether the signal comes to this handler."""
    return bool(signal.getsignal(SIGNAL) == handler)


def unlisten(handler: Any) -> None:
    """Take the handler out."""
    if threading.current_thread() is threading.main_thread() and is_heard(handler):
        signal.signal(SIGNAL, signal.SIG_IGN)
