"""Questions to the brain from threads that may wait. The rule: each is answered or fails in time.

What was asked of a session that ended was perhaps done: `StoreUnavailable` says just that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import StoreUnavailable, WireError
from ..scheduler.leases.calls import Answer
from ..wire.replication import Lease, Leased
from .link import Closed

TIMEOUT_S = 3.0
_LAST = 2**32 - 1


@dataclass(slots=True)
class _Question:
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None


class Errands:
    """LEASE and LEASED of one process, whichever session it has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._send: Callable[[Lease], None] | None = None
        self._open: dict[int, _Question] = {}
        self._number = 0
        self.on_wake: Callable[[], object] = bool
        """Called when the brain says that a lease was released."""

    @property
    def is_open(self) -> bool:
        """Whether there is a session to ask through."""
        return self._send is not None

    def opened(self, send: Callable[[Lease], None]) -> None:
        """Ask through this session from now on."""
        with self._lock:
            self._send = send

    def closed(self) -> None:
        """The session is over; nobody will answer."""
        with self._lock:
            self._send = None
            waiting, self._open = list(self._open.values()), {}
        for question in waiting:
            question.done.set()

    def answered(self, leased: Leased) -> None:
        """Take an answer; one that nobody waits for any more is dropped."""
        if not leased.req:
            self.on_wake()
            return
        with self._lock:
            question = self._open.pop(leased.req, None)
        if question is not None:
            question.answer = Answer(leased.status, leased.values)
            question.done.set()

    def ask(
        self, engine: str, app: str, op: int, args: Sequence[Any], timeout_s: float = TIMEOUT_S
    ) -> Answer:
        """Ask and wait, at most `timeout_s` seconds for the answer.

        Raises:
            StoreUnavailable: no session, or no answer in time: unknown whether it was done.
        """
        question = _Question()
        with self._lock:
            send = self._send
            if send is None:
                raise StoreUnavailable("the brain is away")
            self._number = self._number % _LAST + 1
            number = self._number
            self._open[number] = question
        try:
            send(Lease(number, op, engine, app, list(args)))
        except (Closed, WireError, TimeoutError) as error:
            with self._lock:
                self._open.pop(number, None)
            raise StoreUnavailable(f"the brain cannot be asked: {error}") from error
        question.done.wait(timeout_s)
        with self._lock:
            self._open.pop(number, None)
        if question.answer is None:
            raise StoreUnavailable(f"no answer of the brain within {timeout_s:g} s")
        return question.answer
