"""Slow calls, several at a time. The rule: what comes back is handled by one thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from .contract import ENQUEUE_S

A = TypeVar("A")
B = TypeVar("B")
AT_A_TIME = 16
SETTLE_S = 0.02
"""Longest time without a look at what has come back."""


class Fan(Protocol):
    """Makes calls; yields each with its answer as it comes, None when none came for a while."""

    def __call__(self, call: Callable[[A], B], items: Sequence[A]) -> Iterator[tuple[A, B] | None]:
        """Call `call`, which raises nothing, with every item."""
        ...


def one_by_one(call: Callable[[A], B], items: Sequence[A]) -> Iterator[tuple[A, B] | None]:
    """Each call in turn, in this thread."""
    for item in items:
        yield item, call(item)


class Threads:
    """At most 16 calls at a time in threads of its own, which end after a while without work."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[Any], Any], Any, Any]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._alive = 0

    def __call__(self, call: Callable[[A], B], items: Sequence[A]) -> Iterator[tuple[A, B] | None]:
        """Call `call` with every item; a single one is called here."""
        if len(items) == 1:
            yield items[0], call(items[0])
            return
        done: queue.SimpleQueue[tuple[A, B]] = queue.SimpleQueue()
        for item in items:
            self._jobs.put((call, item, done))
        self._hire(len(items))
        left = len(items)
        while left:
            try:
                found = done.get(timeout=SETTLE_S)
            except queue.Empty:
                yield None
                continue
            left -= 1
            yield found

    def _hire(self, wanted: int) -> None:
        with self._lock:
            more = min(wanted, AT_A_TIME) - self._alive
            self._alive += max(more, 0)
        for _ in range(more):
            threading.Thread(target=self._work, name="z4j-fire", daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                call, item, done = self._jobs.get(timeout=ENQUEUE_S)
            except queue.Empty:
                with self._lock:
                    if self._jobs.empty():
                        self._alive -= 1
                        return
                continue
            done.put((item, call(item)))
