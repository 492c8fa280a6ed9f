"""From the spool to the brain. The rule: nothing is let go before it is acknowledged.

Control items go before facts; what is read is re-framed, never decoded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..clock import Clock
from ..errors import WireError
from ..spool import SegmentHandle, Spool
from ..wire import AgentSession, Fault, RecordType
from ..wire.bodies import Ack, Flow, Open
from .boundary import pack
from .items import lost_item

MAX_ITEMS = 500
MAX_BYTES = 192 << 10
ACK_TIMEOUT_S = 30.0
FIRST_LOOK_S = 0.03
BUSY_LOOK_S = 0.1
FULL_LOOK_S = 0.15
"""After a batch of `_MANY`: a look costs as much as a hundred items do."""
_MANY = 100
IDLE_LOOK_S = 0.25
SCAN_S = 1.0
"""How long a full segment may wait at most for a look whether its last writer has left it."""
_FACTS, _CONTROL = 0, 1
_MAX_OPEN = 1024
_POISON_TRIES = 3
_REFUSED_BY_BRAIN = 6


@dataclass(slots=True)
class Sending:
    """One segment of this session. `sent` is the last offset that went out.

    `has_backlog` when its last batch was a full one: then an acknowledgement is worth a look.
    """

    handle: int
    segment: SegmentHandle
    is_open: bool = False
    is_dry: bool = False
    has_backlog: bool = False
    sent: int = 0
    acked: int = 0


class Flight(NamedTuple):
    """One unacknowledged EVENTS record."""

    handle: int
    last: int
    at: float


@dataclass(slots=True)
class Batches:
    """How large batches may be, and which items no brain takes; outlives sessions."""

    max_items: int = MAX_ITEMS
    tries: dict[tuple[bytes, int], int] = field(default_factory=dict)
    poison: set[tuple[bytes, int]] = field(default_factory=set)

    def refused(self, segment: bytes, first: int) -> None:
        """The brain ended a session over the batch that began at `first`."""
        self.max_items = max(1, self.max_items // 2)
        key = (segment, first)
        self.tries[key] = self.tries.get(key, 0) + 1
        if self.max_items == 1 and self.tries[key] >= _POISON_TRIES:
            self.poison.add(key)

    def accepted(self) -> None:
        """A batch was stored: be bolder again."""
        self.max_items = min(MAX_ITEMS, self.max_items * 2)


class Sender:
    """The EVENTS half of one session; used by the agent's thread alone."""

    def __init__(
        self,
        session: AgentSession,
        spool: Spool,
        send: Callable[[bytes], None],
        batches: Batches,
        clock: Clock,
    ) -> None:
        self._session = session
        self._spool = spool
        self._send = send
        self._batches = batches
        self._clock = clock
        self._by_handle: dict[int, Sending] = {}
        self._by_segment: dict[bytes, Sending] = {}
        self._flying: deque[Flight] = deque()
        self._credit = session.credit
        self._hold_until = 0.0
        self._look_at = self._scan_at = 0.0
        self._pause = FIRST_LOOK_S
        self._next_handle = 1
        self._items_sent = 0
        self._has_scanned = False

    @property
    def is_drained(self) -> bool:
        """Whether everything seen so far is stored by the brain."""
        if self._flying or not self._has_scanned or self._spool.grew():
            return False
        return all(sending.is_open and sending.is_dry for sending in self._by_handle.values())

    def wait_s(self) -> float:
        """Seconds until there is something to look at."""
        return max(0.0, self._look_at - self._clock.monotonic())

    def hurry(self) -> None:
        """Something was just written: look soon."""
        self._pause = FIRST_LOOK_S
        self._look_at = min(self._look_at, self._clock.monotonic() + FIRST_LOOK_S)

    def step(self) -> None:
        """Look at the spool when it is time, and send what credit allows.

        Raises:
            WireError: no acknowledgement for 30 s.
            Closed: the connection ended.
        """
        now = self._clock.monotonic()
        if self._flying and now - self._flying[0].at > ACK_TIMEOUT_S:
            raise WireError("Silence", "no acknowledgement for 30 s", 4408)
        if now < self._look_at:
            return
        grown = [sending for sending in self._by_handle.values() if sending.segment.grew()]
        has_changed = self._spool.changed()
        if grown or has_changed or not self._has_scanned:
            if has_changed or now >= self._scan_at:
                self._scan_at = now + SCAN_S
                self._scan()
                grown = list(self._by_handle.values())  # one that was sealed does not grow
            for sending in grown:
                sending.is_dry = False
            self._pause = BUSY_LOOK_S
        else:
            self._pause = min(IDLE_LOOK_S, self._pause * 1.3)
        before = self._items_sent
        self._fill(now)
        is_much = self._items_sent - before >= _MANY
        self._look_at = now + (FULL_LOOK_S if is_much else self._pause)

    def acknowledged(self, ack: Ack) -> None:
        """The brain stored some; sealed and stored segments are DONE."""
        self._credit = ack.credit
        for handle, upto in ack.marks:
            sending = self._by_handle.get(handle)
            if sending is None:
                continue
            if not sending.is_open:
                sending.is_open = True
                self.hurry()
            sending.acked = max(sending.acked, upto)
            if upto > sending.sent:
                sending.sent, sending.is_dry = upto, False
            sending.segment.ack(upto)
        before = len(self._flying)
        self._flying = deque(flight for flight in self._flying if not self._landed(flight))
        if len(self._flying) < before:
            self._batches.accepted()
        self._say_done()
        self._fill(self._clock.monotonic(), only_backlog=True)

    def flow(self, flow: Flow) -> None:
        """Slow down as the brain asks."""
        self._credit = flow.credit
        self._hold_until = self._clock.monotonic() + flow.pause_ms / 1000
        self._spool.advise(min(flow.shed, 3))

    def blamed(self) -> None:
        """The session ended over something we sent: the oldest batch in flight is suspected."""
        if self._flying:
            flight = self._flying[0]
            sending = self._by_handle[flight.handle]
            self._batches.refused(sending.segment.segment_id, sending.acked + 1)

    def _landed(self, flight: Flight) -> bool:
        sending = self._by_handle.get(flight.handle)
        return sending is None or flight.last <= sending.acked

    def _scan(self) -> None:
        """Meet new segments and say OPEN for them."""
        self._has_scanned = True
        opened = []
        for segment in self._spool.scan():
            if segment.segment_id in self._by_segment or len(self._by_handle) >= _MAX_OPEN:
                continue
            sending = Sending(self._next_handle, segment)
            self._next_handle += 1
            self._by_handle[sending.handle] = sending
            self._by_segment[segment.segment_id] = sending
            opened.append(
                Open(
                    sending.handle, segment.stream, segment.epoch, segment.cls,
                    segment.segment_id, segment.first, dict(segment.meta),
                )
            )  # fmt: skip
        for start in range(0, len(opened), 128):
            self._send(self._session.send(RecordType.OPEN, opened[start : start + 128]))
        self._say_done()

    def _say_done(self) -> None:
        done = [s for s in self._by_handle.values() if s.segment.finished]
        if not done:
            return
        self._send(self._session.send(RecordType.DONE, [sending.handle for sending in done]))
        for sending in done:
            del self._by_handle[sending.handle]
            del self._by_segment[sending.segment.segment_id]

    def _order(self) -> Iterable[Sending]:
        return sorted(self._by_handle.values(), key=lambda s: (-s.segment.cls, s.handle))

    def _fill(self, now: float, *, only_backlog: bool = False) -> None:
        """Send while there is credit."""
        for sending in self._order():
            if not sending.is_open or sending.is_dry:
                continue
            is_facts = sending.segment.cls == _FACTS
            if is_facts and (now < self._hold_until or (only_backlog and not sending.has_backlog)):
                continue
            while len(self._flying) < max(1, self._credit):
                if not self._one(sending, now, only_backlog=only_backlog):
                    break

    def _one(self, sending: Sending, now: float, *, only_backlog: bool) -> bool:
        """Send one batch of a segment; whether it was full, so that more may wait."""
        limit = self._batches.max_items
        bodies = sending.segment.read(sending.sent, limit, MAX_BYTES)
        if not bodies:
            sending.is_dry = True
            return False
        full = len(bodies) >= limit or sum(map(len, bodies)) >= MAX_BYTES // 2
        sending.has_backlog = full
        if only_backlog and not full and sending.segment.cls == _FACTS:
            return False
        first, last = sending.sent + 1, sending.segment.last
        bodies = self._without_poison(sending, first, bodies)
        age_ms = int(self._spool.usage().oldest_age_s * 1000) if full else 0
        try:
            record = self._session.events_record(sending.handle, first, age_ms, bodies)
        except WireError as error:
            if error.kind != Fault.SIZE or limit == 1:
                raise
            self._batches.max_items = max(1, limit // 2)
            return True
        self._flying.append(Flight(sending.handle, last, now))
        sending.sent, sending.is_dry = last, not full
        self._items_sent += len(bodies)
        self._send(record)
        return full

    def _without_poison(self, sending: Sending, first: int, bodies: list[bytes]) -> list[bytes]:
        if not self._batches.poison:
            return bodies
        segment = sending.segment.segment_id
        lost = pack(lost_item(_REFUSED_BY_BRAIN, 1, self._clock.wall_us(), {}))
        return [
            lost if (segment, first + index) in self._batches.poison else body
            for index, body in enumerate(bodies)
        ]
