"""Where each field of a row came from, as bytes. The rule: slots may be added, never moved."""

from __future__ import annotations

import msgspec

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(tuple[list[int], bytes]).decode


def pack_origin(origin: list[int]) -> bytes:
    """Origins as bytes: the distinct keys, then one index per slot."""
    keys = sorted(set(origin))
    return _ENCODE((keys, bytes(map(keys.index, origin))))


def unpack_origin(stored: bytes, slots: int) -> list[int]:
    """Origins from bytes; slots that are newer than the bytes are empty."""
    keys, indexes = _DECODE(stored)
    origin = [keys[index] for index in indexes]
    return origin + [-1] * (slots - len(origin))
