"""One spool file as bytes: a header frame, then item frames, each with a seeded CRC.

The rule: every reader of the same bytes sees the same items at the same offsets, and a corrupt
region counts as exactly one lost item.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zlib import crc32

import msgpack

MAGIC = 0x7A34
HEADER = 0x48
ITEM = 0x49
FRAME_BYTES = 12
MAX_BODY_BYTES = 65_536
FORMAT = 2

LOST_EVICTED, LOST_DISK_FULL, LOST_CORRUPT, LOST_MEMORY = 1, 2, 3, 4
LOST_SHED, LOST_REFUSED, LOST_OVERLOAD = 5, 6, 7

_HEAD = struct.Struct(">HBBI")
_SUM = struct.Struct(">I")
_FRAME = struct.Struct(">HBBII")
_LENGTH_AND_SUM = struct.Struct(">II").unpack_from
_CHECKSUM = _SUM.unpack_from
_NOWHERE = (1 << 40, 0)
_ITEM_START = struct.pack(">HBB", MAGIC, ITEM, 0)
# Text full of frame starts must not make the search quadratic: this bounds what is checksummed.
_SEARCH_BYTES = 16 * 1024 * 1024
LOST_ARRAYS = frozenset({b"\x94", b"\x95", b"\x96", b"\x97"})
"""What a LOST item begins with, and hardly any other: arrays of four to seven."""
_IDENTITY = frozenset({"v", "stream", "class", "segment", "seed", "t"})


class Corrupt(ValueError):
    """The bytes at the start of a segment are no header of ours."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the first frame of a segment says about the rest.

    `seed` starts every item's CRC: text inside an item cannot pose as a frame without it.
    `t` is the wall clock in microseconds at creation, for display and for ordering segments.
    """

    stream: bytes
    cls: int
    segment: bytes
    seed: int
    t: int
    meta: Mapping[str, Any] = field(default_factory=dict)


class Parsed(NamedTuple):
    """Items found in a block: `bodies[i]` (None = corrupt) ends at byte `ends[i]` of the block."""

    bodies: list[bytes | None]
    ends: list[int]
    is_starved: bool


def frame_head(length: int, kind: int = ITEM) -> bytes:
    """The eight bytes before the checksum."""
    return _HEAD.pack(MAGIC, kind, 0, length)


def frame(body: bytes, seed: int, kind: int = ITEM) -> bytes:
    """One frame around `body`."""
    head = frame_head(len(body), kind)
    return head + _SUM.pack(crc32(body, crc32(head, seed))) + body


def header_frame(header: Header) -> bytes:
    """The first frame of a segment; its own CRC has seed 0."""
    body = {key: value for key, value in header.meta.items() if value is not None}
    body |= {
        "v": FORMAT,
        "stream": header.stream,
        "class": header.cls,
        "segment": header.segment,
        "seed": _SUM.pack(header.seed),
        "t": header.t,
    }
    packed: bytes = msgpack.packb(body, use_bin_type=True, unicode_errors="replace")
    return frame(packed, 0, HEADER)


def parse_header(block: bytes) -> tuple[Header, int]:
    """The header at the start of `block` and the byte behind it.

    Raises:
        Corrupt: nothing behind it can be verified.
    """
    if len(block) < FRAME_BYTES:
        raise Corrupt("shorter than a header")
    magic, kind, zero, length, checksum = _FRAME.unpack_from(block)
    end = FRAME_BYTES + length
    if (magic, kind, zero) != (MAGIC, HEADER, 0) or length > MAX_BODY_BYTES or end > len(block):
        raise Corrupt("no header frame")
    body = block[FRAME_BYTES:end]
    if crc32(body, crc32(block[:8])) != checksum:
        raise Corrupt("header checksum")
    return _header_of(body), end


def _header_of(body: bytes) -> Header:
    try:
        fields = msgpack.unpackb(body, raw=False)
        return Header(
            stream=bytes(fields["stream"]),
            cls=int(fields["class"]),
            segment=bytes(fields["segment"]),
            seed=int(_SUM.unpack(fields["seed"])[0]),
            t=int(fields["t"]),
            meta={key: value for key, value in fields.items() if key not in _IDENTITY},
        )
    except (ValueError, KeyError, TypeError, struct.error, msgpack.UnpackException) as error:
        raise Corrupt("header fields") from error


def parse(block: bytes, seed: int, *, is_whole: bool, is_sealed: bool, room: int = 2**31) -> Parsed:
    """Item frames of `block`, at most `room` of them.

    Args:
        block: bytes from a frame boundary on.
        seed: of the segment's header.
        is_whole: the block reaches the present end of the file.
        is_sealed: nothing will ever be appended, so a bad end is lost and not late.
        room: stop after so many items.

    Returns:
        What was found; `is_starved` when only a longer block can tell more.
    """
    bodies: list[bytes | None] = []
    ends: list[int] = []
    seeds: dict[bytes, tuple[int, int]] = {}
    at, size = 0, len(block)
    body: bytes | None
    while at < size and len(bodies) < room:
        # Spelled out for the usual frame: a call for each costs more than what it looks at, and
        # what its first eight bytes say is looked up, for few lengths differ.
        head, start = block[at : at + 8], at + FRAME_BYTES
        length, begun = seeds.get(head) or _begun(head, seed, seeds)
        end = start + length
        body = block[start:end]
        if end > size or crc32(body, begun) != _CHECKSUM(block, at + 8)[0]:
            good = _next_valid(block, at + 1, seed)
            if not good and not (is_whole and is_sealed):
                return Parsed(bodies, ends, is_starved=not is_whole)
            body, end = None, good or size
        bodies.append(body)
        ends.append(end)
        at = end
    return Parsed(bodies, ends, is_starved=False)


def _begun(head: bytes, seed: int, seeds: dict[bytes, tuple[int, int]]) -> tuple[int, int]:
    """Length of a frame and the CRC of its head; a length that fits nowhere for what is none."""
    if len(head) < len(_ITEM_START) + 4 or not head.startswith(_ITEM_START):
        return _NOWHERE
    length = int.from_bytes(head[4:], "big")
    if length > MAX_BODY_BYTES:
        return _NOWHERE
    seeds[head] = found = length, crc32(head, seed)
    return found


def _valid_body(block: bytes, at: int, seed: int) -> bytes | None:
    """Body of the valid item frame at `at`, None when there is none."""
    start = at + FRAME_BYTES
    if start > len(block) or not block.startswith(_ITEM_START, at):
        return None
    length, checksum = _LENGTH_AND_SUM(block, at + 4)
    body = block[start : start + length]
    if length > MAX_BODY_BYTES or len(body) < length:
        return None
    if crc32(body, crc32(block[at : at + 8], seed)) != checksum:
        return None
    return body


def _next_valid(block: bytes, at: int, seed: int) -> int:
    """First byte from `at` on where a valid item frame starts, 0 when there is none.

    Text that makes checking dear lives in one torn frame, so giving up skips that much only.
    """
    budget, window = _SEARCH_BYTES, at + MAX_BODY_BYTES
    while (at := block.find(_ITEM_START, at)) >= 0:
        if at >= window:
            budget, window = _SEARCH_BYTES, at + MAX_BODY_BYTES
        if _valid_body(block, at, seed) is not None:
            return at
        budget -= min(MAX_BODY_BYTES, len(block) - at)
        at = at + 1 if budget > 0 else window
    return 0


def ends_whole(block: bytes, seed: int) -> bool:
    """Whether a valid frame, or the header of the file, ends exactly where `block` does.

    Bytes appended behind such an end are a region of their own to every reader.
    """
    end = at = len(block)
    while (at := block.rfind(_ITEM_START, max(0, end - FRAME_BYTES - MAX_BODY_BYTES), at)) >= 0:
        length = _LENGTH_AND_SUM(block, at + 4)[0] if at + FRAME_BYTES <= end else 0
        if at + FRAME_BYTES + length == end and _valid_body(block, at, seed) is not None:
            return True
    try:
        return parse_header(block)[1] == end
    except Corrupt:
        return False


def frames_by_length(block: bytes) -> int:
    """How many item frames follow each other by their lengths alone, when no seed is known."""
    at, count = 0, 0
    while at + FRAME_BYTES <= len(block):
        _magic, kind, _zero, length, _sum = _FRAME.unpack_from(block, at)
        if length > MAX_BODY_BYTES:
            break
        count += kind != HEADER
        at += FRAME_BYTES + length
    return count


def lost_body(
    reason: int, n: int, to: int = 0, first: int | None = None, last: int | None = None
) -> bytes:
    """A LOST item: `n` events are gone; `to` is the last offset spanned, 0 for its own only."""
    item = [0, reason, n, to]
    if first is not None and last is not None:
        item += [first, last]
    packed: bytes = msgpack.packb(item)
    return packed


CORRUPT_BODY = lost_body(LOST_CORRUPT, 1)


def lost_counts(body: bytes) -> tuple[int, int]:
    """`(n, to)` of a LOST item, `(0, 0)` of any other."""
    if body[1:2] != b"\0" or body[:1] not in LOST_ARRAYS:
        return 0, 0
    try:
        item = msgpack.unpackb(body)
        return int(item[2]), int(item[3])
    except (ValueError, TypeError, msgpack.UnpackException):
        return 0, 0
