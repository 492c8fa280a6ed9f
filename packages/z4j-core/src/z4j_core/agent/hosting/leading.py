"""The leader of a group, put into this process. The rule: what it is handed is all it reaches."""

from __future__ import annotations

from .followed import Followed
from .home import Home


class Leading:
    """A loop that leads, or stands by to."""

    def stop(self, timeout_s: float) -> None:
        """Release the lease and end; waits at most `timeout_s` seconds."""


def lead(home: Home, store: Followed) -> Leading:
    """Start to lead a group, or to stand by."""
    return Leading()
