"""One authenticated message. The rule: length, then MAC, and only then anything else.

44 bytes stand before the body: version, type, flags, sequence number, HMAC-SHA256 over these twelve
bytes and the body as sent.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .codes import (
    FLAG_CRITICAL,
    FLAG_DEFLATE,
    HEADER_BYTES,
    MAX_RECORDS,
    VERSION,
    Fault,
    fault,
)
from .keys import mac, same

_HEAD = struct.Struct(">BBHQ")
_HEAD_BYTES = 12
_FLAGS = FLAG_DEFLATE | FLAG_CRITICAL


class Record(NamedTuple):
    """A record whose MAC held; the body is as sent."""

    type: int
    flags: int
    seq: int
    body: bytes

    @property
    def deflated(self) -> bool:
        """Whether the body is a deflate stream."""
        return bool(self.flags & FLAG_DEFLATE)

    @property
    def critical(self) -> bool:
        """Whether a reader that does not know the type must stop."""
        return bool(self.flags & FLAG_CRITICAL)


def seal(key: bytes, record: Record) -> bytes:
    """`record` as bytes under `key`."""
    head = _HEAD.pack(VERSION, record.type, record.flags, record.seq)
    return head + mac(key, head + record.body) + record.body


def unseal(key: bytes, data: bytes, seq: int, max_body: int) -> Record:
    """The record `data` is, if it is the one with number `seq` under `key`.

    Raises:
        WireError: Size, Mac, Header or Seq, in this order.
    """
    if not HEADER_BYTES <= len(data) <= HEADER_BYTES + max_body:
        raise fault(Fault.SIZE, f"a record of {len(data)} bytes")
    head, body = data[:_HEAD_BYTES], data[HEADER_BYTES:]
    if not same(mac(key, head + body), data[_HEAD_BYTES:HEADER_BYTES]):
        raise fault(Fault.MAC, "bad signature")
    version, type_, flags, got = _HEAD.unpack(head)
    if version != VERSION or flags & ~_FLAGS:
        raise fault(Fault.HEADER, "unknown version or flags")
    if got != seq or got > MAX_RECORDS:
        raise fault(Fault.SEQ, f"record {got} where {seq} was due")
    return Record(type_, flags, got, body)
