"""A session without its socket. The rule: bytes, nonce and now in; bytes and typed bodies out.

Whatever arrives wrong ends the session with one WireError, whose close code tells the peer why.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from ..errors import WireError
from .bodies import Close, Welcome
from .codec import deflate, inflate
from .codes import (
    FLAG_DEFLATE,
    HEADER_BYTES,
    MAX_HANDSHAKE_BYTES,
    MAX_INFLATED_BYTES,
    MAX_RECORD_BYTES,
    MAX_RECORDS,
    CloseCode,
    Fault,
    RecordType,
    fault,
)
from .frames import FRAMES, Direction, pack_body, unpack_body
from .records import Record, seal, unseal

HANDSHAKE_S = 5.0
LIFETIME_S = 86_400.0


class State(StrEnum):
    """Where a session stands."""

    NEW = "new"
    HELLO = "hello"
    CHALLENGED = "challenged"
    REGISTERED = "registered"
    OPEN = "open"
    CLOSED = "closed"


class Received(NamedTuple):
    """One record that held: its typed body and the plain bytes of it.

    `body` is None for EVENTS, whose reader chooses how to decode `raw` (see `events`), and for a
    type this version does not know, which is to be ignored.
    """

    type: int
    body: Any
    raw: bytes


_S = State
TRANSITIONS: Mapping[tuple[State, str], State] = {
    (_S.NEW, "hello"): _S.HELLO,
    (_S.HELLO, "challenge"): _S.CHALLENGED,
    (_S.HELLO, "refuse"): _S.CLOSED,
    (_S.CHALLENGED, "REGISTER"): _S.REGISTERED,
    (_S.CHALLENGED, "CLOSE"): _S.CLOSED,
    (_S.REGISTERED, "WELCOME"): _S.OPEN,
    (_S.REGISTERED, "CLOSE"): _S.CLOSED,
    (_S.OPEN, "CLOSE"): _S.CLOSED,
    (_S.OPEN, "record"): _S.OPEN,
}
"""State and event → state, for both sides. What is not here is a State fault."""

_ONCE = frozenset({RecordType.REGISTER, RecordType.WELCOME, RecordType.CLOSE})


def event_of(type_: int) -> str:
    """The event a record of this type is in TRANSITIONS."""
    return RecordType(type_).name if type_ in _ONCE else "record"


def _plain_limit(type_: int) -> int:
    return MAX_INFLATED_BYTES if type_ == RecordType.EVENTS else MAX_RECORD_BYTES


class Half:
    """What both sides of a session share: state, keys, numbers, time.

    Not thread-safe: sealing a record and handing it to the socket are one step under the owner's
    lock, or records overtake each other.
    """

    _sends: Direction
    _silence_beats: float

    def __init__(self, now: float, lifetime_s: float) -> None:
        self.state = State.NEW
        self.welcome: Welcome | None = None
        self._key_out = self._key_in = b""
        self._seq_out = self._seq_in = 0
        self._max_out = MAX_RECORD_BYTES
        self._ends_at = now + lifetime_s
        self._heard_at = now

    @property
    def deadline(self) -> float:
        """When this session is dead unless a record arrives: seconds of the clock of `now`."""
        if self.welcome is None:
            return self._heard_at + HANDSHAKE_S
        silence = self._silence_beats * self.welcome.hb_ms / 1000
        return min(self._heard_at + silence, self._ends_at)

    @property
    def records_sent(self) -> int:
        """How many records this side has sealed; the last one has this number."""
        return self._seq_out

    def send(self, type_: int, body: Any) -> bytes:
        """The next record. A body that does not fit costs no number: halve it and go on.

        Raises:
            WireError: State, Direction, Size or Malformed; the session stands as before.
        """
        return self._seal(type_, pack_body(body))

    def close(self, code: int, reason: str = "", retry_after_ms: int = 0) -> bytes:
        """CLOSE: the last record of this side.

        Raises:
            WireError: State; there is nothing to close with a record.
        """
        return self.send(RecordType.CLOSE, Close(int(code), reason[:200], retry_after_ms))

    def receive(self, data: bytes, now: float) -> Received:
        """The record `data` is. `now` is seconds of a monotonic clock.

        Raises:
            WireError: the session is over; close with its code.
        """
        try:
            return self._receive(data, now)
        except WireError:
            self.state = State.CLOSED
            raise

    def _seal(self, type_: int, body: bytes) -> bytes:
        frame = FRAMES[type_]
        if not frame.direction & self._sends:
            raise fault(Fault.DIRECTION, f"{frame.number.name} is for the other side to send")
        state = self._next(event_of(type_))
        flags = 0
        smallest = self.welcome.deflate_min if self.welcome else 0
        if len(body) > _plain_limit(type_):
            raise fault(Fault.SIZE, f"a body of {len(body)} bytes")
        if frame.deflates and 0 < smallest <= len(body):
            flags, body = FLAG_DEFLATE, deflate(body)
        if len(body) > self._limit(self._max_out):
            raise fault(Fault.SIZE, f"a body of {len(body)} bytes")
        if self._seq_out >= MAX_RECORDS:
            raise fault(Fault.SEQ, "the session is used up: connect again")
        self._seq_out += 1
        self.state = state
        return seal(self._key_out, Record(type_, flags, self._seq_out, body))

    def _limit(self, limit: int) -> int:
        early = self.state in (State.CHALLENGED, State.NEW, State.HELLO)
        return MAX_HANDSHAKE_BYTES - HEADER_BYTES if early else limit

    def _next(self, event: str) -> State:
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise fault(Fault.STATE, f"{event} while {self.state}")
        return state

    def _receive(self, data: bytes, now: float) -> Received:
        if self.state in (State.NEW, State.HELLO, State.CLOSED):
            raise fault(Fault.STATE, f"a record while {self.state}")
        record = self._unseal(data)
        self._seq_in = record.seq
        frame = FRAMES.get(record.type)
        if frame is None:
            return self._unknown(record, now)
        if not frame.direction & (Direction.BOTH ^ self._sends):
            raise fault(Fault.DIRECTION, f"{frame.number.name} is for this side to send")
        state = self._next(event_of(record.type))
        if record.deflated and not frame.deflates:
            raise fault(Fault.HEADER, f"{frame.number.name} is never deflated")
        plain = self._plain(record)
        body = unpack_body(record.type, plain)
        self._accept(frame.number, body, now)
        self.state, self._heard_at = state, now
        return Received(record.type, body, plain)

    def _unseal(self, data: bytes) -> Record:
        return unseal(self._key_in, data, self._seq_in + 1, self._limit(MAX_RECORD_BYTES))

    def _unknown(self, record: Record, now: float) -> Received:
        self._next("record")
        if record.critical:
            raise fault(Fault.TYPE, f"unknown critical type {record.type}", CloseCode.VERSION)
        self._heard_at = now
        return Received(record.type, None, record.body)

    def _plain(self, record: Record) -> bytes:
        if not record.deflated:
            return record.body
        return inflate(record.body, _plain_limit(record.type))

    def _accept(self, type_: RecordType, body: Any, now: float) -> None:
        """Look at a record before it is handed out."""
