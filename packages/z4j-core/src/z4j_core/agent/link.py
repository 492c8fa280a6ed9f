"""What a session needs of its way to the brain. The rule: bytes in, bytes out, one way each."""

from __future__ import annotations

from typing import Protocol

from ..errors import Z4JError

OPEN_TIMEOUT_S = 10
CLOSE_TIMEOUT_S = 2


class Closed(Z4JError):
    """The connection ended; `close_code` is a hint that anyone could have forged."""

    def __init__(self, close_code: int | None, reason: str) -> None:
        super().__init__(reason or "connection lost")
        self.close_code = close_code or 1006


class Link(Protocol):
    """One open way to the brain, used by one thread."""

    def send(self, record: bytes) -> None:
        """Send one record, or keep it until the next `receive`.

        Raises:
            Away: whoever answered HELLO is no brain.
            Closed: the session is over, unknown how much arrived.
        """
        ...

    def unlock(self, poll_key: bytes) -> None:
        """Hear the key that polls are proven with, known once the brain proved itself."""
        ...

    def receive(self, timeout_s: float) -> bytes | None:
        """The next record, or None when none came in time.

        Raises:
            Closed: the session is over.
        """
        ...

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close; never raises."""
        ...
