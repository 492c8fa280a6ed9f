"""Slow calls, several at a time. The rule: a call that never ends costs a thread, not the leader.

Threads take what is to be called from one row, so nobody is woken for each call; what came of
calls is looked at a few milliseconds later at most, and handled by the thread that asked.
"""

from __future__ import annotations

import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

A = TypeVar("A")
B = TypeVar("B")
AT_A_TIME = 16
LOOK_S = 0.005
"""Longest time without a look at what has come back."""
SETTLE_S = 0.02
"""Longest time what has come back waits to be written."""
IDLE_S = 1.5
"""How long a thread without work stays."""


class Fan(Protocol):
    """Makes calls; yields each with its answer as it comes, None when none came for a while."""

    def __call__(
        self, call: Callable[[A], B], items: Sequence[A], late: B, within_s: float
    ) -> Iterator[tuple[A, B] | None]:
        """Call `call`, which raises nothing, with every item.

        `late` is the answer of a call that is not back within so many seconds.
        """
        ...


def one_by_one(
    call: Callable[[A], B], items: Sequence[A], late: B, within_s: float
) -> Iterator[tuple[A, B] | None]:
    """Each call in turn, in this thread, for as long as it takes."""
    del late, within_s
    for item in items:
        yield item, call(item)


class _Row(Generic[A, B]):
    """What is to be called, what is being called, and what came of it."""

    def __init__(
        self, call: Callable[[A], B], items: Sequence[A], now: Callable[[], float]
    ) -> None:
        self._call = call
        self._now = now
        self._running: dict[int, tuple[float, A]] = {}
        self.waiting = deque(items)
        self.done: deque[tuple[A, B]] = deque()
        self.looked_for = threading.Event()
        """Set when there may be nothing left to call."""

    def work(self) -> bool:
        """Call what waits, until nothing does; False when a call was given up meanwhile."""
        me = threading.get_ident()
        while self.waiting:
            try:
                item = self.waiting.popleft()
            except IndexError:
                break
            self._running[me] = (self._now(), item)
            answer = self._call(item)
            if self._running.pop(me, None) is None:
                return False
            self.done.append((item, answer))
        self.looked_for.set()
        return True

    def given_up(self, before: float) -> list[A]:
        """Items whose calls began before a time and go on: nobody waits for these any more."""
        late = [me for me, (since, _) in self._running.copy().items() if since < before]
        taken = [self._running.pop(me, None) for me in late]
        return [found[1] for found in taken if found is not None]


class Threads:
    """At most 16 calls at a time in threads of its own, which end after a while without work.

    `now` in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._rows: queue.SimpleQueue[_Row[Any, Any]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._alive = 0

    def __call__(
        self, call: Callable[[A], B], items: Sequence[A], late: B, within_s: float
    ) -> Iterator[tuple[A, B] | None]:
        """Call `call` with every item."""
        row = _Row(call, items, self._now)
        left = len(items)
        self._hire(row, left)
        try:
            while left:
                row.looked_for.wait(LOOK_S)
                row.looked_for.clear()
                while row.done:
                    left -= 1
                    yield row.done.popleft()
                lost = row.given_up(self._now() - within_s)
                for item in lost:
                    left -= 1
                    yield item, late
                if lost:
                    self._replace(row, len(lost))
                yield None
        finally:
            row.waiting.clear()
            self._forget(len(row.given_up(math.inf)))

    def _hire(self, row: _Row[Any, Any], wanted: int) -> None:
        """Let so many threads work on a row."""
        wanted = min(wanted, AT_A_TIME)
        with self._lock:
            more = max(wanted - self._alive, 0)
            self._alive += more
        for _ in range(wanted):
            self._rows.put(row)
        for _ in range(more):
            threading.Thread(target=self._work, name="z4j-fire", daemon=True).start()

    def _replace(self, row: _Row[Any, Any], lost: int) -> None:
        """Go on without threads that do not come back."""
        self._forget(lost)
        self._hire(row, len(row.waiting))

    def _forget(self, lost: int) -> None:
        with self._lock:
            self._alive -= lost

    def _work(self) -> None:
        while True:
            try:
                row = self._rows.get(timeout=IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._rows.empty():
                        self._alive -= 1
                        return
                continue
            if not row.work():
                return
