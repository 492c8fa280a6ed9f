"""Every place where bytes of a stranger or of a damaged disk are read.

The rule: a decoder has samples to start from and a list of the errors that may leave it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from z4j_brain.ingest.items import BAD, decode_items
from z4j_core.errors import ConfigError, WireError
from z4j_core.spool import segment
from z4j_core.wire import decode_events, events_body, pack, pack_item, parse_dsn, unpack_item
from z4j_core.wire.codec import deflate, inflate
from z4j_core.wire.codes import RecordType
from z4j_core.wire.events import Head
from z4j_core.wire.frames import FRAMES, pack_body, unpack_body
from z4j_core.wire.handshake import split_challenge, unpack_core, unpack_hello
from z4j_core.wire.items import Lost
from z4j_core.wire.records import Record, seal, unseal
from z4j_testing.wire import REGISTER, WELCOME, Pair, sample_open, sample_task

KEY, SEED = bytes(32), 0x01020304
DSN = (
    "http://z4k_aaaqeayeaudaocajbifqydiob4awxrag:"
    "z4s_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp2luma@127.0.0.1:7075/shop"
)
ITEMS = [pack_item(sample_task(1, tags={"a": "b"})), pack_item(Lost(0, 1, 5, 5, 1, 2, {"9": 1}))]
HEADER = segment.header_frame(segment.Header(bytes(16), 0, bytes(8), SEED, 1, {"host": "h"}))
_PAIR = Pair(opened=False)
HELLO = _PAIR.agent.hello()
_PAIR.brain.receive_hello(HELLO)
CHALLENGE = _PAIR.brain.challenge(_PAIR.credential.secret)
_TYPES = sorted(FRAMES)
_BODIES = [pack_body(REGISTER), pack_body(WELCOME), pack_body((sample_open(),))]


class Decoder(NamedTuple):
    """What reads, what it may raise, and bytes it understands."""

    name: str
    read: Any
    declared: Any
    samples: list[bytes]


def _body(data: bytes) -> object:
    return unpack_body(_TYPES[data[0] % len(_TYPES)] if data else 1, data[1:])


def _spool(data: bytes) -> object:
    flags = data[0] if data else 0
    return segment.parse(data[1:], SEED, is_whole=bool(flags & 1), is_sealed=bool(flags & 2))


def _challenge(data: bytes) -> object:
    return unpack_core(split_challenge(data)[0])


DECODERS = [
    Decoder("item", unpack_item, WireError, ITEMS),
    Decoder("batch", decode_events, WireError, [events_body(Head(1, 1, 0), ITEMS)]),
    Decoder("items of the brain", decode_items, BAD, [b"\x92" + b"".join(ITEMS)]),
    Decoder("body", _body, WireError, [bytes((n,)) + body for n, body in enumerate(_BODIES)]),
    Decoder("record", lambda data: unseal(KEY, data, 1, 262_144), WireError,
            [seal(KEY, Record(RecordType.ACK, 0, 1, pack([[[1, 2]], 8])))]),
    Decoder("deflate", inflate, WireError, [deflate(one * 20) for one in ITEMS]),
    Decoder("hello", unpack_hello, WireError, [HELLO]),
    Decoder("challenge", _challenge, WireError, [CHALLENGE]),
    Decoder("dsn", lambda data: parse_dsn(data.decode("latin-1")), ConfigError, [DSN.encode()]),
    Decoder("spool", _spool, (), [b"\x03" + b"".join(segment.frame(one, SEED) for one in ITEMS)]),
    Decoder("spool header", segment.parse_header, segment.Corrupt, [HEADER]),
    Decoder("lost item", segment.lost_counts, (), [segment.lost_body(1, 5, 5, 1, 2)]),
]  # fmt: skip


def feed(decoder: Decoder, data: bytes) -> bool:
    """Whether `data` was understood; anything undeclared goes through."""
    try:
        decoder.read(data)
    except decoder.declared:
        return False
    return True
