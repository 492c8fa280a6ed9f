"""Records over plain HTTP requests. The rule: the handle of a session gives nobody any power.

`hello` carries HELLO there and CHALLENGE back, `up` records of the agent, `down` those of the
brain. Whoever polls proves each time that he holds the keys of the session, with a number that is
never taken twice: a handle read in somebody's log lets nobody read, feed or end a session.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from .codes import HEADER_BYTES, MAX_MESSAGE_BYTES, Fault, fault
from .keys import expand, mac, same

HELLO_PATH = "/api/agent/hello"
UP_PATH = "/api/agent/up"
DOWN_PATH = "/api/agent/down"
SESSION_HEADER = "Z4J-Session"
MEDIA_TYPE = "application/octet-stream"
HANDLE_BYTES = 16
BRAIN_BYTES = 4
"""The first bytes of a handle name the running brain that gave it, and nothing else."""
ELSEWHERE = 421
"""The handle is another running brain's: what stands between does not keep a session together."""
MAX_BATCH_BYTES = 1_048_576
PREFIX_BYTES = 4
POLL_BYTES = 40
WAIT_S = 25.0
UPS_PER_S = 5.0

_NUMBER = struct.Struct(">Q")
_LENGTH = struct.Struct(">I")


def join(records: Iterable[bytes]) -> bytes:
    """The body that carries these records."""
    return b"".join(_LENGTH.pack(len(record)) + record for record in records)


def split(body: bytes) -> list[bytes]:
    """The records of a body; the length of each is checked, nothing else of it.

    Raises:
        WireError: Size or Malformed.
    """
    if len(body) > MAX_BATCH_BYTES:
        raise fault(Fault.SIZE, f"a batch of {len(body)} bytes")
    records, at = [], 0
    while at < len(body):
        if len(body) - at < PREFIX_BYTES:
            raise fault(Fault.MALFORMED, "a batch that ends inside a length")
        (length,) = _LENGTH.unpack_from(body, at)
        at += PREFIX_BYTES
        if not HEADER_BYTES <= length <= MAX_MESSAGE_BYTES:
            raise fault(Fault.SIZE, f"a record of {length} bytes")
        if length > len(body) - at:
            raise fault(Fault.MALFORMED, "a batch that ends inside a record")
        records.append(body[at : at + length])
        at += length
    return records


def poll_key(key_to_brain: bytes) -> bytes:
    """What polls of a session are proven with; records are never signed with it."""
    return expand(key_to_brain, b"polls", b"")


def prove(key: bytes, number: int) -> bytes:
    """The body of the `number`-th poll of a session, from 1."""
    head = _NUMBER.pack(number)
    return head + mac(key, head)


def proven(key: bytes, body: bytes) -> int:
    """The number of a poll by somebody who holds the keys of the session.

    Raises:
        WireError: Size or Mac.
    """
    if len(body) != POLL_BYTES:
        raise fault(Fault.SIZE, f"a poll of {len(body)} bytes")
    head, tag = body[: _NUMBER.size], body[_NUMBER.size :]
    if not same(mac(key, head), tag):
        raise fault(Fault.MAC, "a poll by a stranger")
    return int(_NUMBER.unpack(head)[0])
