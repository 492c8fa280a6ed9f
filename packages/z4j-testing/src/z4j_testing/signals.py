"""Waiting in tests. The rule: on a condition with a deadline, never on wall time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WAIT_S = 30.0
PATIENCE = float(os.environ.get("Z4J_TEST_PATIENCE", "1"))
"""How many times as long every wait may take, on a machine that has much else to do."""
_POLL_S = 0.05


class Changes:
    """A list that other threads append to and tests wait on."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def tell(self, change: Callable[[], None]) -> None:
        """Make a change under the lock and wake everybody."""
        with self._changed:
            change()
            self._changed.notify_all()

    def until(
        self,
        found: Callable[[], T | None],
        what: Callable[[], str] | str,
        timeout_s: float = WAIT_S,
    ) -> T:
        """Return the first true answer of `found`, asked after each change.

        Raises:
            AssertionError: `timeout_s` seconds passed; the message names `what`.
        """
        with self._changed:
            if not self._changed.wait_for(found, timeout_s * PATIENCE):
                said = what if isinstance(what, str) else what()
                raise AssertionError(f"waited {timeout_s:g} s for {said}")
            answer = found()
        assert answer is not None
        return answer


def eventually(found: Callable[[], T | None], what: str, timeout_s: float = WAIT_S) -> T:
    """Return the first true answer of `found`, for things outside this process that cannot wake us.

    Raises:
        AssertionError: `timeout_s` seconds passed; the message names `what`.
    """
    never = threading.Event()
    for _ in range(max(1, int(timeout_s * PATIENCE / _POLL_S))):
        answer = found()
        if answer:
            return answer
        never.wait(_POLL_S)
    raise AssertionError(f"waited {timeout_s:g} s for {what}")
