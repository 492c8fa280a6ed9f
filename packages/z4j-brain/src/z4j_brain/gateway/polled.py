"""An agent that polls, seen as a socket. The rule: what is said waits here until it is fetched."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, MutableMapping
from typing import Any

from z4j_core.wire import BrainSession, CloseCode, State
from z4j_core.wire.poll import MAX_BATCH_BYTES, PREFIX_BYTES, UPS_PER_S

MAX_WAITING_BYTES = 4 << 20
UPS_BURST = 10.0
UNPOLLED_S = 10.0
_LOST = 1006


class PolledSocket:
    """The part of a WebSocket that a session uses, filled and emptied by requests."""

    def __init__(self, now: float) -> None:
        self._inbox: deque[bytes | Exception] = deque()
        self._outbox: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._came, self._said, self._idle = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._ups, self._ups_at = UPS_BURST, now
        self._overdue: asyncio.TimerHandle | None = None
        self.wire: BrainSession | None = None
        self.closed_with = 0
        self.readers = 0
        self.polls = 0
        self.is_polled = self.is_fed = False

    @property
    def is_proven(self) -> bool:
        """Whether REGISTER was accepted: before, nobody may send much."""
        return self.wire is not None and self.wire.state is not State.CHALLENGED

    def expects(self, record: bytes) -> bool:
        """Whether this is the record that comes next, by whoever holds the keys."""
        return self.wire is not None and self.wire.expects(record)

    @property
    def has_more(self) -> bool:
        """Whether something waits to be fetched."""
        return bool(self._outbox)

    def met(self, wire: BrainSession) -> None:
        """Hear which session this is."""
        self.wire = wire

    async def receive(self) -> MutableMapping[str, Any]:
        """The next message; as `WebSocket.receive`."""
        while not (self._inbox or self.closed_with):
            self._came.clear()
            self._idle.set()
            await self._came.wait()
        if self.closed_with:
            return {"type": "websocket.disconnect", "code": self.closed_with}
        message = self._inbox.popleft()
        if isinstance(message, Exception):
            raise message
        return {"type": "websocket.receive", "bytes": message}

    async def send_bytes(self, data: bytes) -> None:
        """Keep a message until it is fetched.

        Raises:
            RuntimeError: nobody will.
        """
        if not self.closed_with and self._waiting_bytes > MAX_WAITING_BYTES:
            await self.close(CloseCode.TIMEOUT)
        if self.closed_with:
            raise RuntimeError("nobody polls any more")
        self._outbox.append(data)
        self._waiting_bytes += PREFIX_BYTES + len(data)
        self._said.set()

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """End the session; what was said before can still be fetched."""
        self._end(code)

    def lost(self) -> None:
        """The agent is gone: nothing will be fetched any more."""
        self._outbox.clear()
        self._end(_LOST)

    def _end(self, code: int) -> None:
        self.closed_with = self.closed_with or int(code)
        for event in (self._came, self._said, self._idle):
            event.set()

    def expect_poll(self) -> None:
        """Take the agent for gone unless it polls soon."""
        self.stop_expecting()
        self._overdue = asyncio.get_running_loop().call_later(UNPOLLED_S, self.lost)

    def stop_expecting(self) -> None:
        """It polls, or nobody waits for it any more."""
        if self._overdue is not None:
            self._overdue.cancel()

    async def feed(self, messages: Iterable[bytes | Exception]) -> None:
        """Hand over what came and wait until it is dealt with, or the session is over."""
        if self.closed_with:
            return
        self.is_fed = True
        self._inbox.extend(messages)
        self._idle.clear()
        self._came.set()
        try:
            await self._idle.wait()
        finally:
            self.is_fed = False

    def take(self) -> list[bytes]:
        """What waits, as much of it as one answer carries."""
        taken, size = [], 0
        while self._outbox and (size := size + PREFIX_BYTES + len(self._outbox[0])):
            if size > MAX_BATCH_BYTES:
                break
            taken.append(self._outbox.popleft())
            self._waiting_bytes -= PREFIX_BYTES + len(taken[-1])
        return taken

    async def wait_said(self) -> None:
        """Wait until there is something to fetch or never will be."""
        while not (self._outbox or self.closed_with):
            self._said.clear()
            await self._said.wait()

    def may_send(self, now: float) -> bool:
        """Count a request with records; whether there were not too many. `now` is monotonic."""
        self._ups = min(UPS_BURST, self._ups + (now - self._ups_at) * UPS_PER_S) - 1
        self._ups_at = now
        return self._ups >= 0
