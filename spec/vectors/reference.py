"""A second implementation of the wire, from spec/wire.md alone: standard library, nothing of ours.

It exists to disagree. `cases.py` makes the vectors with it; tests compare it with the code.
"""
# ruff: noqa: INP001, PLR2004  a script beside the documents, whose numbers are those of the text

from __future__ import annotations

import hashlib
import hmac
import struct
import zlib
from typing import Any

from reference_msgpack import Fault, need, pack, unpack

# --------------------------------------------------------------------------------------- types
# ?: nil allowed, may be missing at the end · !: nil allowed, never missing · =: may be missing.
ROWS = {
    "Preview": "u8 u32 str8192",
    "Target": "u16 u8 str256? str512?",
    "Mark": "u16 u64",
    "Actor": "str256 str256 str64",
    "Bulk": "bin16 u32 u32",
    "SpoolState": "u64 u32 u64 u64",
    "Inventory": "u8 str32 str128 bin8",
    "Open": "u16 bin16 u32 u8 bin8 u64 map",
    "Want": "u8 str32 str128 u64",
    "Ack": "[Mark]1024 u16",
    "Command": "bin16 str32 str32 str128 [str256]200 map u64 Actor str512 u8= Bulk?",
    "Abort": "bin16 str512",
    "Beat": "u32 u64 u32 SpoolState u32! u32! u16! u16! u64! u64 u32 [Inventory]4096",
    "Flow": "u16 u32 u8",
    "Close": "u16 str200 u32",
    "Lease": "u32 u8 str32 str128 array",
    "Leased": "u32 i8 array",
    "Hello": "u8 u8 bin16 u8 bin32 u8 bin≤64 str512 str64",
    "Core": "u8 bin16 bin32 u16 str200 u32 u16",
    0: "u8 u8 u64 u64 t? t? map?",
    1: "u8 u8 u8 t str32 str128 str256 u16= u16= str256? str256? str256? u32? t? t? t? t? u64? t? "
    "i32? u16? u32? Preview? Preview? Preview? str256? Preview? Preview? str256? str256? str256? "
    "str256? u8= bin16? str256? bin16? i64? str55? t? u16= str256? labels? labels? map? t?",
    2: "u8 t str32 str128 str256 u16 u16 f64 f64? str200? Preview?",
    3: "u8 t bin16 u8 str64 str2048 map [Target]4096? str512? u32=",
    4: "u8 t str32 str128 bin16 u32 i64 str64! bin16 u8 u8 u64 u64 t i64 u16 u32 str64 u8 "
    "str256? str256?",
    5: "u8 t str32 str128 str256 u8 str256? map?",
    6: "u8 t u8 str64 Preview str32? str128?",
}
_INTEGERS = {"t": (0, 2**64)} | {f"u{n}": (0, 2**n) for n in (8, 16, 32, 64)}
_INTEGERS |= {f"i{n}": (-(2 ** (n - 1)), 2 ** (n - 1)) for n in (8, 32, 64)}
_KINDS = {"map": dict, "array": list, "labels": dict}


def fits(kind: str, value: Any) -> Any:
    """The value of a type, rows in it made whole; anything else is refused."""
    if kind in _INTEGERS:
        low, high = _INTEGERS[kind]
        need(type(value) is int and low <= value < high)
    elif kind == "f64":
        need(type(value) in (int, float))
        return float(value)
    elif kind.startswith("["):
        inner, limit = kind[1:].split("]")
        need(type(value) is list and len(value) <= int(limit))
        return [fits(inner, one) for one in value]
    elif kind in ROWS:
        return row(kind, value)
    else:
        _sized(kind, value)
    return value


def _sized(kind: str, value: Any) -> None:
    if kind in _KINDS:
        need(type(value) is _KINDS[kind])
        if kind == "labels":
            need(len(value) <= 16 and all(type(one) is str for one in value.values()))
        return
    need(type(value) is (str if kind.startswith("str") else bytes))
    size = int(kind[3:].lstrip("≤"))
    need(len(value) <= size if kind.startswith(("str", "bin≤")) else len(value) == size)


def row(name: Any, value: Any, *, exact: bool = False) -> list[Any]:
    """A row made whole: what is missing filled in, what is not known here left out."""
    kinds = ROWS[name].split()
    need(type(value) is list and (not exact or len(value) == len(kinds)))
    found = []
    for n, kind in enumerate(kinds):
        bare = kind.rstrip("?!=")
        if n >= len(value):
            need(kind[-1] in "?=")
            found.append(None if kind[-1] == "?" else 0)
        elif value[n] is None and kind[-1] in "?!":
            found.append(None)
        else:
            found.append(fits(bare, value[n]))
    return found


_BOUNDED = {1: (43, 1_024), 3: (6, 12_288)}


def item(data: bytes) -> bytes:
    """One item made whole and encoded again without trailing nils."""
    need(len(data) <= 16_384, "Size")
    value = unpack(data)
    need(type(value) is list and value and type(value[0]) is int)
    need(value[0] in ROWS, "Type")
    known = row(value[0], value)
    place, limit = _BOUNDED.get(value[0], (0, 16_384))
    need(len(pack(known[place])) <= limit, "Size")
    while known[-1] is None:
        known.pop()
    return pack(known)


# ---------------------------------------------------------------------------- keys and sessions
def lp(data: bytes) -> bytes:
    """Length-prefixed."""
    return struct.pack(">I", len(data)) + data


def sign(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(prk: bytes, label: str, context: bytes) -> bytes:
    """K(l) of the text."""
    return sign(prk, lp(b"z4j.2") + lp(label.encode()) + lp(context) + b"\x01")


def snapshot_key(secret: bytes, cred_id: bytes, kid: int) -> bytes:
    """K_snap of the text."""
    return expand(sign(bytes(32), secret), "snapshot", cred_id + bytes((kid,)))


def session(secret: bytes, hello: bytes, core: bytes) -> dict[str, bytes]:
    """TH, PRK, proof and the two keys."""
    th = hashlib.sha256(lp(b"z4j.2") + lp(b"handshake") + lp(hello) + lp(core)).digest()
    prk = sign(unpack(hello)[4] + unpack(core)[2], secret)
    return {
        "th": th,
        "prk": prk,
        "proof": sign(expand(prk, "brain proof", th), th),
        "to_brain": expand(prk, "agent to brain", th),
        "to_agent": expand(prk, "brain to agent", th),
    }


def hear_hello(data: bytes) -> list[Any]:
    """What a brain makes of HELLO."""
    need(len(data) <= 4_096, "Size")
    hello = row("Hello", unpack(data), exact=True)
    need(hello[0] <= 2 <= hello[1], "Version")
    return hello


def hear_challenge(secret: bytes, hello: bytes, data: bytes) -> dict[str, bytes]:
    """What an agent makes of CHALLENGE."""
    need(32 < len(data) <= 4_096, "Size")
    core, proof = data[:-32], data[-32:]
    try:
        keys = session(secret, hello, core)
    except (Fault, LookupError, TypeError):
        raise Fault("Auth") from None
    need(hmac.compare_digest(keys["proof"], proof), "Auth")
    terms = row("Core", unpack(core), exact=True)
    need(terms[0] == 2, "Version")
    need(terms[3] == 0, "Refused")
    return keys


# Type: who sends it, and its body; None: not looked at here.
TYPES = {
    1: ("A", None), 2: ("B", None), 3: ("A", "[Open]1024"), 4: ("A", None), 5: ("B", "Ack"),
    6: ("A", "[u16]4096"), 7: ("B", "Command"), 8: ("B", "Abort"), 9: ("A", "Beat"),
    10: ("B", None),
    11: ("B", "Flow"), 12: ("A", None), 13: ("AB", "[Want]4096"), 14: ("B", None),
    15: ("A", "Lease"), 16: ("B", "Leased"), 17: ("A", None), 127: ("AB", "Close"),
}  # fmt: skip
DEFLATED = (4, 12)


def seal(key: bytes, kind: int, flags: int, seq: int, body: bytes) -> bytes:
    """A record."""
    head = struct.pack(">BBHQ", 2, kind, flags, seq)
    return head + sign(key, head + body) + body


def hear_record(key: bytes, sender: str, last: int, data: bytes) -> str:
    """What an open session makes of a record of `sender` ("A" or "B") after number `last`."""
    need(44 <= len(data) <= 44 + 262_144, "Size")
    head, body = data[:12], data[44:]
    need(hmac.compare_digest(sign(key, head + body), data[12:44]), "Mac")
    version, kind, flags, seq = struct.unpack(">BBHQ", head)
    need(version == 2 and flags & ~0x8001 == 0, "Header")
    need(seq == last + 1 <= 2**32, "Seq")
    if kind not in TYPES:
        need(not flags & 0x8000, "Type")
        return "ignored"
    senders, schema = TYPES[kind]
    need(sender in senders, "Direction")
    need(kind not in (1, 2), "State")
    if flags & 1:
        need(kind in DEFLATED, "Header")
        body = inflate(body, 1 << 20 if kind == 4 else 262_144)
    if schema:
        fits(schema, unpack(body))
    return "ok"


def inflate(body: bytes, limit: int) -> bytes:
    """One raw deflate stream."""
    stream = zlib.decompressobj(-15)
    try:
        plain = stream.decompress(body, limit)
    except zlib.error:
        raise Fault("Inflate") from None
    need(stream.eof and not stream.unconsumed_tail and not stream.unused_data, "Inflate")
    return plain


def admit(stored: list[int], epoch: int, first: int, spans: list[list[int]]) -> list[int]:
    """Watermark and losses after a batch; a span is [] or [n, to] of a LOST."""
    need(epoch >= stored[0], "Epoch")
    need(1 <= first <= stored[1] + 1, "Gap")
    upto, skip, lost, offset = stored[1], 0, 0, first
    for one in spans:
        last = max(offset, one[1]) if one else offset
        if last <= upto:
            skip += 1
        else:
            lost += min(one[0], last - upto) if one else 0
            upto = last
        offset = last + 1
    return [skip, lost, epoch, upto]


# ---------------------------------------------------------------------------------------- spool
def frame(body: bytes, seed: int, kind: int = 0x49) -> bytes:
    """One frame of a segment file."""
    head = struct.pack(">HBBI", 0x7A34, kind, 0, len(body))
    return head + struct.pack(">I", zlib.crc32(head + body, seed)) + body


def item_at(data: bytes, at: int, seed: int) -> bytes | None:
    """The item of the valid frame that starts at a byte."""
    if len(data) < at + 12:
        return None
    magic, kind, zero, size, _ = struct.unpack_from(">HBBII", data, at)
    body = data[at + 12 : at + 12 + size]
    whole = (magic, kind, zero, len(body)) == (0x7A34, 0x49, 0, size)
    return body if whole and data.startswith(frame(body, seed), at) else None


def segment(data: bytes, seed: int, *, sealed: bool) -> list[str | None]:
    """Items of a segment behind its header; None for a corrupt region, one offset each."""
    found: list[str | None] = []
    at = 0
    while at < len(data):
        body = item_at(data, at, seed)
        if body is not None:
            found.append(body.hex())
            at += 12 + len(body)
            continue
        good = (n for n in range(at + 1, len(data)) if item_at(data, n, seed) is not None)
        at = next(good, len(data) if sealed else -1)
        if at < 0:
            break
        found.append(None)
    return found


# ---------------------------------------------------------------------------------------- texts
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def base32(data: bytes) -> str:
    """Lower case, no padding; the length is a multiple of five."""
    bits = int.from_bytes(data, "big")
    return "".join(_ALPHABET[bits >> shift & 31] for shift in range(len(data) * 8 - 5, -1, -5))


def unbase32(text: str) -> bytes:
    """The bytes of such a text."""
    bits = 0
    for letter in text:
        bits = bits << 5 | _ALPHABET.index(letter)
    return bits.to_bytes(len(text) * 5 // 8, "big")


def checksum(data: bytes) -> bytes:
    """Three bytes that tell a typing error."""
    return (zlib.crc32(b"z4j.key" + data) >> 8).to_bytes(3, "big")


def key_id(cred_id: bytes, kid: int) -> str:
    """A key id."""
    body = cred_id + bytes((kid,))
    return "z4k_" + base32(body + checksum(body))


def secret_text(cred_id: bytes, kid: int, secret: bytes) -> str:
    """A secret."""
    return "z4s_" + base32(secret + checksum(cred_id + bytes((kid,)) + secret))


def read_keys(name: str, secret: str) -> dict[str, Any]:
    """Key id and secret of a DSN."""
    name, secret = name.lower(), secret.lower()
    for text, start, size in ((name, "z4k_", 36), (secret, "z4s_", 60)):
        shaped = len(text) == size and text.startswith(start)
        need(shaped and all(letter in _ALPHABET for letter in text[4:]), "Z4J-E101")
        if start == "z4k_":
            body = unbase32(text[4:])
            need(checksum(body[:17]) == body[17:], "Z4J-E102")
    proof, body = unbase32(secret[4:]), unbase32(name[4:])
    need(checksum(body[:17] + proof[:32]) == proof[32:], "Z4J-E103")
    return {"cred_id": body[:16].hex(), "kid": body[16], "secret": proof[:32].hex()}
