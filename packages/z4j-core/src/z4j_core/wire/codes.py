"""Numbers of the protocol: record types, flags, close codes, limits. A number is never reused."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from ..errors import WireError

PROTOCOL = "z4j.2"
VERSION = 2
PATH = "/api/agent/ws"
PROBE = "probe"
"""Feature in REGISTER of a check that is no agent."""

HEADER_BYTES = 44
MAX_HANDSHAKE_BYTES = 4_096
MAX_RECORD_BYTES = 262_144
MAX_MESSAGE_BYTES = MAX_RECORD_BYTES + HEADER_BYTES
MAX_INFLATED_BYTES = 1_048_576
MAX_ITEM_BYTES = 16_384
MAX_PARAMS_BYTES = 65_536
MAX_DEPTH = 16
MAX_MAP = 256
MAX_ARRAY = 4_096
MAX_SCHEDULES_ARRAY = 10_000
MAX_RECORDS = 2**32
MAX_OPEN_SEGMENTS = 1_024
MAX_CREDIT = 64

FLAG_DEFLATE = 0x0001
FLAG_CRITICAL = 0x8000


class RecordType(IntEnum):
    """Types of records; a number not listed is ignored unless its critical bit is set."""

    REGISTER = 1
    WELCOME = 2
    OPEN = 3
    EVENTS = 4
    ACK = 5
    DONE = 6
    COMMAND = 7
    ABORT = 8
    BEAT = 9
    PONG = 10
    FLOW = 11
    SNAPSHOT = 12
    WANT = 13
    SCHEDULES = 14
    LEASE = 15
    LEASED = 16
    UPDATE = 17
    CLOSE = 127


class CloseCode(IntEnum):
    """Codes of CLOSE, of `refuse` and of the WebSocket close."""

    MALFORMED = 4400
    AUTH = 4401
    REVOKED = 4403
    PROJECT = 4404
    URL = 4406
    TIMEOUT = 4408
    SUPERSEDED = 4409
    GAP = 4410
    TOO_LARGE = 4413
    VERSION = 4426
    RATE = 4429
    INTERNAL = 4500
    DRAINING = 4503


class Fault(StrEnum):
    """Failure classes: the `kind` of every WireError and the classes of the vectors."""

    MALFORMED = "Malformed"
    SIZE = "Size"
    MAC = "Mac"
    HEADER = "Header"
    SEQ = "Seq"
    TYPE = "Type"
    DIRECTION = "Direction"
    STATE = "State"
    VERSION = "Version"
    AUTH = "Auth"
    REFUSED = "Refused"
    GAP = "Gap"
    EPOCH = "Epoch"
    DEPTH = "Depth"
    CHECKSUM = "Checksum"
    INFLATE = "Inflate"


_CLOSE_OF_FAULT = {
    Fault.SIZE: CloseCode.TOO_LARGE,
    Fault.VERSION: CloseCode.VERSION,
    Fault.AUTH: CloseCode.AUTH,
    Fault.GAP: CloseCode.GAP,
    Fault.EPOCH: CloseCode.SUPERSEDED,
}


def fault(kind: Fault, message: str, close_code: int | None = None) -> WireError:
    """The error of one failure class, with the close code that tells the peer."""
    code = _CLOSE_OF_FAULT.get(kind, CloseCode.MALFORMED) if close_code is None else close_code
    return WireError(kind.value, message, int(code))
