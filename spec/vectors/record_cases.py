"""Cases of records: of an open session, in both directions."""
# ruff: noqa: INP001  a script beside the documents, whose numbers are the cases

from __future__ import annotations

import zlib
from collections.abc import Iterable

import reference as r
from judged import Case, case, turned


def _squeezed(data: bytes) -> bytes:
    squeeze = zlib.compressobj(1, wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


_WANT = r.pack([[1, "toy", "app", 0]])
_ACK = r.pack([[[1, 7]], 8])
_COMMAND = [
    b"c" * 16,
    "retry",
    "toy",
    "app",
    ["id"],
    {"a": 1},
    9,
    ["u", "U", "web"],
    "why",
    0,
    None,
]
_BEAT = [1, 2, 3, [1, 2, 3, 4], None, 1, None, 2, None, 5, 6, [[1, "toy", "app", b"h" * 8]]]
_OPEN = [1, b"s" * 16, 1, 0, b"g" * 8, 1, {"v": 2}]
_EVENTS = r.pack([1, 1, 0, [[0, 1, 5, 5]]])
_UP = {
    "want": (13, 0, _WANT),
    "open": (3, 0, r.pack([_OPEN])),
    "no segments": (3, 0, b"\x90"),
    "events": (4, 0, _EVENTS),
    "events, deflated": (4, 1, _squeezed(_EVENTS)),
    "done": (6, 0, r.pack([1, 65_535])),
    "beat": (9, 0, r.pack(_BEAT)),
    "lease": (15, 0, r.pack([1, 2, "toy", "app", [b"o", 1]])),
    "close": (127, 0, r.pack([4503, "bye", 0])),
    "unknown type": (99, 0, b"anything"),
    "elements of a later version": (13, 0, r.pack([[1, "toy", "app", 0, "later"]])),
    "unknown critical type": (99, 0x8000, b""),
    "register again": (1, 0, b"\x80"),
    "welcome from an agent": (2, 0, b"\x80"),
    "ack from an agent": (5, 0, _ACK),
    "command from an agent": (7, 0, r.pack(_COMMAND)),
    "reserved flag 1": (13, 2, _WANT),
    "reserved flag 14": (13, 0x4000, _WANT),
    "deflated want": (13, 1, _squeezed(_WANT)),
    "deflate garbage": (4, 1, b"\xff\xff"),
    "deflate cut": (4, 1, _squeezed(_EVENTS)[:-1]),
    "deflate continued": (4, 1, _squeezed(_EVENTS) + b"\x00"),
    "deflate empty": (4, 1, b""),
    "deflate bomb": (4, 1, _squeezed(bytes(1_048_577))),
    "empty body": (13, 0, b""),
    "trailing byte": (13, 0, _WANT + b"\xc0"),
    "17 levels": (13, 0, b"\x91" * 17 + b"\xc0"),
    "ext": (13, 0, b"\x91\xd4\x05\x00"),
    "NaN": (13, 0, b"\x91\xcb\x7f\xf8" + bytes(6)),
    "array of 2^32-1": (13, 0, b"\xdd\xff\xff\xff\xff"),
    "map of 257": (13, 0, b"\xde\x01\x01" + b"\xa1a\xc0" * 257),
    "integer key": (3, 0, r.pack([_OPEN[:-1]])[:-1] + b"\x81\x01\x01"),
    "kind beyond u8": (13, 0, r.pack([[256, "t", "a", 0]])),
    "a row that is a map": (13, 0, r.pack([{}])),
    "a row too short": (13, 0, r.pack([[1, "toy"]])),
    "nil where a value is due": (13, 0, r.pack([[1, None, "app", 0]])),
    "handle beyond u16": (6, 0, r.pack([65_536])),
    "stream of 15 bytes": (3, 0, r.pack([[1, b"s" * 15, *_OPEN[2:]]])),
    "1025 segments": (3, 0, r.pack([_OPEN] * 1_025)),
    "beat without its inventory": (9, 0, r.pack(_BEAT[:-1])),
    "reason of 201 characters": (127, 0, r.pack([1, "x" * 201, 0])),
}
_DOWN = {
    "ack": (5, 0, _ACK),
    "command": (7, 0, r.pack(_COMMAND)),
    "command without its tail": (7, 0, r.pack(_COMMAND[:9])),
    "bulk command": (7, 0, r.pack([*_COMMAND[:10], [b"b" * 16, 1, 2]])),
    "abort": (8, 0, r.pack([b"c" * 16, "stop"])),
    "flow": (11, 0, r.pack([8, 100, 1])),
    "leased": (16, 0, r.pack([1, -4, []])),
    "want from the brain": (13, 0, _WANT),
    "events from the brain": (4, 0, _EVENTS),
    "deflated command": (7, 1, _squeezed(r.pack(_COMMAND))),
    "201 targets": (7, 0, r.pack([*_COMMAND[:4], ["x"] * 201, *_COMMAND[5:]])),
    "status beyond i8": (16, 0, r.pack([1, -129, []])),
    "targets as text": (7, 0, r.pack([*_COMMAND[:4], "id", *_COMMAND[5:]])),
    "shed is a float": (11, 0, r.pack([8, 100, 1.0])),
    "actor without a name": (7, 0, r.pack([*_COMMAND[:7], ["u"], "why"])),
}


def records() -> Iterable[Case]:
    key = {"A": b"\x1a" * 32, "B": b"\x1b" * 32}

    def judged(name: str, sender: str, last: int, data: bytes) -> Case:
        given = {"sender": sender, "key": key[sender].hex(), "last": last, "record": data.hex()}
        return case(name, given, lambda: r.hear_record(key[sender], sender, last, data))

    for sender, bodies in (("A", _UP), ("B", _DOWN)):
        for name, (kind, flags, body) in bodies.items():
            yield judged(name, sender, 1, r.seal(key[sender], kind, flags, 2, body))
    good = r.seal(key["A"], 13, 0, 2, _WANT)
    yield judged("duplicate", "A", 2, good)
    yield judged("gap", "A", 0, good)
    yield judged("number zero", "A", 0, r.seal(key["A"], 13, 0, 0, _WANT))
    yield judged("last number", "A", 2**32 - 1, r.seal(key["A"], 13, 0, 2**32, _WANT))
    yield judged("beyond the last number", "A", 2**32, r.seal(key["A"], 13, 0, 2**32 + 1, _WANT))
    yield judged("reflected", "B", 1, good)
    for size in (0, 1, 12, 43):
        yield judged(f"cut to {size}", "A", 1, good[:size])
    yield judged("body cut", "A", 1, good[:-1])
    yield judged("body longer", "A", 1, good + b"\x00")
    yield judged("a header and nothing else", "A", 1, good[:44])
    for bit in (*range(0, 96, 9), *range(96, 352, 37), *range(352, len(good) * 8, 13)):
        yield judged(f"bit {bit} turned", "A", 1, turned(good, bit))
    head = b"\x03" + good[1:12]
    yield judged("version 3", "A", 1, head + r.sign(key["A"], head + _WANT) + _WANT)
