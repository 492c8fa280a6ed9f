"""What fires the schedules of a group. The rule: whatever fails is told once and tried again."""

from __future__ import annotations

import threading

from .home import Home


class GroupHost:
    """One group that may be led from this process."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin; returns at once."""

    def stop(self, timeout_s: float) -> None:
        """Hand over and end; waits at most `timeout_s` seconds."""
        self._stopping.set()
