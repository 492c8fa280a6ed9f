"""What one thread receives for another. The rule: bounded, its end is told once all is taken."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from .link import Closed

ROOM = 64
"""Records that may wait before more are fetched."""


class Inbox:
    """Records on their way from the thread that polls to the agent's thread."""

    def __init__(self) -> None:
        self._records: deque[bytes] = deque()
        self._end: Closed | None = None
        self._changed = threading.Condition()

    def put(self, records: Iterable[bytes]) -> None:
        """Add records."""
        with self._changed:
            self._records.extend(records)
            self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Wait until more may come, or it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._end or len(self._records) <= ROOM)

    def end(self, why: Closed) -> None:
        """No more will come; only the first reason counts."""
        with self._changed:
            self._end = self._end or why
            self._changed.notify_all()

    def take(self, timeout_s: float) -> bytes | None:
        """The next record, or None when none came in time.

        Raises:
            Closed: all was taken, and no more will come.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._records or self._end, timeout_s)
            if self._records:
                self._changed.notify_all()
                return self._records.popleft()
            if self._end is not None:
                raise self._end
            return None
