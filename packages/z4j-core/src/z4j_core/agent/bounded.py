"""An answer that is read until a point in time. The rule: status line, headers and body alike.

A socket's timeout counts from the last byte, so a peer that sends one every few seconds would hold
the agent's thread for ever.
"""

from __future__ import annotations

import io
import socket
from http.client import HTTPResponse
from typing import Any

from ..clock import Clock


class BoundedResponse(HTTPResponse):
    """Reading raises `TimeoutError` once `until` (monotonic, seconds) has passed."""

    def __init__(
        self, sock: socket.socket, *args: Any, clock: Clock, until: float, **kwargs: Any
    ) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Until(self.fp.detach(), sock, clock, until))


class _Until(io.RawIOBase):
    def __init__(self, raw: Any, sock: socket.socket, clock: Clock, until: float) -> None:
        super().__init__()
        self._raw, self._sock = raw, sock
        self._clock, self._until = clock, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._until - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()
