"""WebSocket or requests. The rule: what a proxy does is told from what a brain does.

Two tries for a WebSocket that fail as they do behind a proxy lead to requests; a WebSocket is tried
again every ten minutes, and the session goes on until one gets through.
"""

from __future__ import annotations

from ..clock import Clock
from ..config import Dsn, Settings
from ..errors import Away, ConfigError
from ..tls import context_of
from . import connector, poll
from .link import Closed, Link

AUTO, WEBSOCKET, POLL = "auto", "websocket", "poll"
LIKE_A_PROXY = frozenset({200, 400, 403, 404, 405, 426, 501, 502})
TRIES = 2
AGAIN_S = 600.0
SOON_S = 10.0
PROBE_S = 5.0
_TIMEOUT = 4408
_ELSEWHERE = 4421
_GATEWAY = 500


class Transport:
    """Which way one agent goes; used by its thread alone."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._wanted = settings.transport
        self._clock = clock
        self._dsn: Dsn | None = None
        self._failures = 0
        self._again_at = 0.0
        self._is_open = False
        self.name = WEBSOCKET
        self.cause = ""

    def dial(self, dsn: Dsn) -> Link:
        """Connect the way that is due.

        Raises:
            Away: with the code of the cause.
            ConfigError: a file for TLS cannot be used.
        """
        self.name, self._is_open, self._dsn = self._due(), False, dsn
        context = context_of(dsn, self._settings)
        if self.name == POLL:
            return poll.dial(dsn, context, self._clock)
        return connector.dial(dsn, context)

    def welcomed(self) -> bool:
        """Note that a session is open; whether it is the first one since the way has changed."""
        self._is_open = True
        if self.name == POLL:
            is_new = self._wanted == AUTO and not self._again_at
            if is_new:
                soon = self.cause.startswith("HTTP 5")
                self._again_at = self._clock.monotonic() + (SOON_S if soon else AGAIN_S)
            return is_new
        is_new = bool(self._again_at)
        self._failures, self._again_at = 0, 0.0
        return is_new

    def failed(self, error: Exception) -> None:
        """Note how a try ended; what ended a session that was open says nothing about the way."""
        if self._is_open:
            return
        if self.name == POLL:
            is_a_brain = isinstance(error, Closed) and error.close_code == _ELSEWHERE
            if not (self._again_at or is_a_brain):
                self._failures = 0
            return
        cause = cause_in(error)
        self._failures = self._failures + 1 if cause else 0
        if cause:
            self.cause = cause
            self._again_at = self._again_at and self._clock.monotonic() + AGAIN_S

    def is_websocket_open(self) -> bool:
        """Try, when it is time, whether a WebSocket gets through by now."""
        if self._dsn is None or self.name != POLL or self._wanted != AUTO:
            return False
        if self._clock.monotonic() < self._again_at:
            return False
        self._again_at = self._clock.monotonic() + AGAIN_S
        try:
            context = context_of(self._dsn, self._settings)
            connector.dial(self._dsn, context, PROBE_S).close()
        except (Away, ConfigError):
            return False
        self._failures = TRIES - 1
        return True

    def _due(self) -> str:
        if self._wanted != AUTO:
            return self._wanted
        if self._failures < TRIES:
            return WEBSOCKET
        is_time = 0 < self._again_at <= self._clock.monotonic()
        return WEBSOCKET if is_time else POLL


def cause_in(error: Exception) -> str:
    """How a try for a WebSocket failed as it does behind a proxy; empty if otherwise."""
    if isinstance(error, Away) and error.status in LIKE_A_PROXY:
        return f"HTTP {error.status}"
    if isinstance(error, Closed) and error.close_code == _TIMEOUT:
        return "no answer to the handshake"
    return ""
