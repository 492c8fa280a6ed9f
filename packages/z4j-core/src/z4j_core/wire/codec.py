"""Values as bytes and back. The rule: any bytes give a value or a declared error, nothing else.

Shortest integers, str text, bin bytes, float64, str map keys, no extension types, no NaN, at most
16 levels. Text that is no Unicode (lone surrogates) is sent with its escapes spelt out.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import msgpack

from .codes import MAX_ARRAY, MAX_DEPTH, MAX_INFLATED_BYTES, MAX_MAP, Fault, fault

_PLAIN = frozenset({int, str, bytes, bool, type(None)})
_PACKER_BYTES = 4_096


def pack(value: Any) -> bytes:
    """`value` as canonical bytes.

    Raises:
        WireError: Malformed; the value holds what the wire has no form for.
    """
    try:
        return _packb(value)
    except UnicodeEncodeError:
        return pack(_spelt(value))
    except (OverflowError, TypeError, ValueError) as error:
        raise fault(Fault.MALFORMED, f"not a wire value: {error}") from error


def list_head(count: int) -> bytes:
    """What stands before the `count` values of a list, each packed by itself."""
    return bytes(msgpack.Packer(buf_size=8).pack_array_header(count))


def _packb(value: Any) -> bytes:
    return bytes(msgpack.packb(value, buf_size=_PACKER_BYTES) or b"")


def _spelt(value: Any) -> Any:
    """`value` with lone surrogates spelt out."""
    if isinstance(value, str):
        return spell(value)
    if isinstance(value, list | tuple):
        return [_spelt(one) for one in value]
    if isinstance(value, dict):
        return {_spelt(key): _spelt(one) for key, one in value.items()}
    return value


def spell(text: str) -> str:
    """`text` with what UTF-8 cannot carry written as backslash escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def unpack(data: bytes, *, max_array: int = MAX_ARRAY) -> Any:
    """The one value `data` holds, checked against the rules of the wire.

    Raises:
        WireError: Malformed or Depth.
    """
    try:
        value = msgpack.unpackb(
            data, strict_map_key=True, max_array_len=max_array, max_map_len=MAX_MAP
        )
    except msgpack.exceptions.StackError as error:
        raise fault(Fault.DEPTH, "nested too deeply") from error
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise fault(Fault.MALFORMED, f"not msgpack: {type(error).__name__}") from error
    check(value)
    return value


def check(value: Any, depth: int = MAX_DEPTH) -> None:
    """Refuse what decodes but is not allowed.

    Raises:
        WireError: Depth for more than `depth` levels of arrays and maps, else Malformed.
    """
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is float:
        _check_float(value)
    elif depth == 0:
        raise fault(Fault.DEPTH, "nested too deeply")
    elif kind is list:
        for one in value:
            check(one, depth - 1)
    elif kind is dict:
        _check_map(value, depth)
    else:
        raise fault(Fault.MALFORMED, "an extension type")


def _check_float(value: float) -> None:
    if not math.isfinite(value):
        raise fault(Fault.MALFORMED, "not a finite number")


def _check_map(value: dict[Any, Any], depth: int) -> None:
    for key, one in value.items():
        if type(key) is not str:
            raise fault(Fault.MALFORMED, "a map key is not text")
        check(one, depth - 1)


def array_header(length: int) -> bytes:
    """The bytes that announce an array of `length` elements."""
    if length < 16:  # noqa: PLR2004 - fixarray holds four bits of length
        return bytes((0x90 | length,))
    if length < 1 << 16:
        return b"\xdc" + length.to_bytes(2, "big")
    return b"\xdd" + length.to_bytes(4, "big")


def deflate(body: bytes) -> bytes:
    """`body` as one raw deflate stream, level 1."""
    squeeze = zlib.compressobj(1, wbits=-15)
    return squeeze.compress(body) + squeeze.flush()


def inflate(body: bytes, limit: int = MAX_INFLATED_BYTES) -> bytes:
    """What one complete raw deflate stream holds, at most `limit` bytes.

    Raises:
        WireError: Inflate; broken, too large, cut short or followed by more.
    """
    stream = zlib.decompressobj(-15)
    try:
        plain = stream.decompress(body, limit)
    except zlib.error as error:
        raise fault(Fault.INFLATE, "not a deflate stream") from error
    if not stream.eof or stream.unused_data:
        raise fault(Fault.INFLATE, f"not exactly one deflate stream of at most {limit} bytes")
    return plain
