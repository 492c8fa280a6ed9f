"""Gates, tombstones and interrupts that adapters borrow. The rule: asking costs a dict look-up."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Protocol

TOMBSTONE_TTL_S = 86_400.0
MAX_TOMBSTONES = 100_000


class QueueGate:
    """Open unless somebody paused the queue."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()

    @property
    def closed(self) -> bool:
        """Whether no new task may start."""
        return not self._open.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is open, at most `timeout_s` seconds; whether it is."""
        return self._open.wait(timeout_s)

    def shut(self) -> None:
        """Let no new task start."""
        self._open.clear()

    def reopen(self) -> None:
        """Let tasks start again."""
        self._open.set()


class BoundedTombstones(dict[str, float]):
    """Ids cancelled before they started, until when (monotonic seconds); forgotten after a day."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic

    def add(self, task_id: str) -> None:
        """Remember an id."""
        if len(self) >= MAX_TOMBSTONES:
            self._expire()
        self[task_id] = self._monotonic() + TOMBSTONE_TTL_S

    def __contains__(self, task_id: object) -> bool:
        return isinstance(task_id, str) and self.get(task_id, 0.0) > self._monotonic()

    def _expire(self) -> None:
        now = self._monotonic()
        for key in [key for key, until in self.items() if until <= now]:
            del self[key]
        while len(self) >= MAX_TOMBSTONES:
            self.pop(next(iter(self)), None)


class Greenlet(Protocol):
    """What gevent runs; one of this process's only loop."""

    dead: bool

    def kill(self, exception: type[BaseException], block: bool) -> None:  # noqa: FBT001
        """Throw into it when its loop comes round."""
        ...


def interrupt(where: int | Greenlet, error: type[BaseException]) -> bool:
    """Raise `error` in a thread at its next bytecode, in a greenlet at its next turn.

    False when it is gone.
    """
    if not isinstance(where, int):
        alive = not where.dead
        where.kill(error, block=False)
        return alive
    count = ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(where), ctypes.py_object(error)
    )
    return bool(count == 1)
