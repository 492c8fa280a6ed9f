"""The job that runs here and how it is stopped. The rule: only a job's own code is interrupted.

A work horse is told by a signal. It is blocked from before the fork until the horse has its
handler, so that it waits instead of killing. A worker that runs jobs itself (SimpleWorker) is told
the same way when it works in the main thread, which also ends a blocking call; elsewhere by an
exception set in its thread.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from z4j_core import Stop

SIGNAL = signal.SIGUSR1
Interrupt = Callable[[Any, type[BaseException]], bool]


class Cancelled(BaseException):
    """Raised in a running job to cancel it: RQ marks it stopped and never retries it.

    No `Exception`, so that a job that catches those does not go on.
    """

    def __init__(self) -> None:
        super().__init__("cancelled by an operator")


class Live:
    """One attempt while its worker performs it."""

    def __init__(self, worker: Any, job: Any) -> None:
        self.worker = worker
        self.job_id: str = job.id
        self.thread = threading.get_ident()
        self.is_armed = False
        self.is_wanted = False
        self.has_left = False
        self.has_ended = False
        self.due_at: float | None = None
        self._leaving = threading.Lock()

    def perform(self, original: Callable[[Any], Any], job: Any) -> Any:
        """Run the job's code; from here until it has returned it may be interrupted."""
        try:
            self.is_armed = True
            if self.is_wanted:
                self.stop()
            return original(job)
        finally:
            with self._leaving:
                self.is_armed, self.has_left = False, True

    def stop(self) -> None:
        """Leave the job's code, in its own thread; before it began, it never does."""
        self.is_wanted = True
        self.worker._stopped_job_id = self.job_id  # noqa: SLF001  (RQ's mark for "not to retry")
        if self.is_armed:
            self.is_armed = False
            raise Cancelled

    def interrupt(self, interrupt: Interrupt) -> bool:
        """Make another thread stop it; False when its code has returned."""
        with self._leaving:
            if not self.is_armed:
                self.is_wanted = not self.has_left
                return self.is_wanted
            if self.thread == threading.main_thread().ident and _is_ours():
                signal.pthread_kill(self.thread, SIGNAL)
                return True
            self.worker._stopped_job_id = self.job_id  # noqa: SLF001  (as above)
            self.is_armed = False
            return interrupt(self.thread, Cancelled)

    def forget(self) -> None:
        """It is over: the mark must not outlive it."""
        if self.worker._stopped_job_id == self.job_id:  # noqa: SLF001  (as above)
            self.worker._stopped_job_id = None  # noqa: SLF001  (as above)


LIVE: dict[str, Live] = {}
"""What is being performed in this process, by job id."""


def listen() -> None:
    """Let the signal through to the job that runs; only the main thread can, and does."""
    if threading.current_thread() is not threading.main_thread():
        return
    if not _is_ours():
        signal.signal(SIGNAL, _on_signal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {SIGNAL})


def unlisten() -> None:
    """Take the handler out."""
    if threading.current_thread() is threading.main_thread() and _is_ours():
        signal.signal(SIGNAL, signal.SIG_IGN)


def kill(pid: int, number: int, *, group: bool) -> Stop:
    """Send a signal to a horse, with `group` to what it started as well."""
    try:
        own, its = os.getpgid(0), os.getpgid(pid)
        if group and its != own:  # a horse leaves its worker's group only after its birth
            os.killpg(its, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return Stop.ALREADY
    return Stop.ASKED


@contextmanager
def held_back() -> Iterator[None]:
    """Block the signal while a horse is made: it inherits that, and ends it with `listen`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {SIGNAL})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _on_signal(*_: Any) -> None:
    for live in list(LIVE.values()):
        live.stop()


def _is_ours() -> bool:
    return signal.getsignal(SIGNAL) is _on_signal
