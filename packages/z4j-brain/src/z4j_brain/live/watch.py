"""What streams look at. The rule: equal looks share one Watch, and it is judged once.

A Watch is (project, view, query, range, ref, visibility of arguments); every tab with the same
look gets the same bytes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

BACKLOG_BYTES = 256 << 10
REMEMBERED = 4_000
RESET = "reset"


class Look(NamedTuple):
    """One view of one project. `range` is as in the URL."""

    project_id: str
    view: str
    q: str = ""
    range: str = ""
    ref: str = ""
    args_visible: bool = False


class Stream:
    """The outbox of one tab. Over 256 KiB it is emptied and the tab told to start afresh."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.closed = False
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._filled = asyncio.Event()

    def put(self, event: bytes) -> None:
        """Queue one event as bytes; returns at once."""
        if self._size + len(event) > BACKLOG_BYTES:
            self._queue.clear()
            self._size = 0
            event = encode(RESET, {"reason": "backlog"})
        self._queue.append(event)
        self._size += len(event)
        self._filled.set()

    def close(self) -> None:
        """End the stream after what is queued."""
        self.closed = True
        self._filled.set()

    async def take(self, timeout_s: float) -> bytes:
        """Everything queued; empty after `timeout_s` seconds of silence."""
        if not self._queue and not self.closed:
            try:
                await asyncio.wait_for(self._filled.wait(), timeout_s)
            except TimeoutError:
                return b""
        events = b"".join(self._queue)
        self._queue.clear()
        self._size = 0
        self._filled.clear()
        return events


@dataclass(slots=True)
class Watch:
    """One look and the tabs that share it. `sent` remembers versions that went out."""

    look: Look
    streams: set[Stream] = field(default_factory=set)
    sent: OrderedDict[str, int] = field(default_factory=OrderedDict)
    node: Any = None
    counted_at: float = 0.0
    shown_at: float = 0.0
    dirty: bool = False

    def put(self, event: bytes) -> None:
        """Give one event to every tab."""
        for stream in self.streams:
            stream.put(event)

    def remember(self, ref: str, version: int) -> bool:
        """Note that a version of a row goes out; whether the row went out before."""
        known = ref in self.sent
        self.sent[ref] = version
        self.sent.move_to_end(ref)
        if len(self.sent) > REMEMBERED:
            self.sent.popitem(last=False)
        return known


_JSON = msgspec.json.Encoder()


def encode(name: str, value: Any, position: str = "") -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2). JSON has no raw line breaks."""
    head = f"id: {position}\n" if position else ""
    return f"{head}event: {name}\ndata: ".encode() + _JSON.encode(value) + b"\n\n"
