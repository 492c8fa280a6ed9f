"""Looking into bytes that a broker holds without running what they say.

    peek(data)      # (1, {"a": <Node shop.Order>})

The rule: no name found in the bytes is imported, no object in them is built or called, and what
cannot be read within bounds is refused, never guessed.
"""

from __future__ import annotations

import zlib

from .pickles import Node, Opaque, peek

__all__ = ["MAX_BYTES", "Node", "Opaque", "inflated", "opaque_text", "peek"]

MAX_BYTES = 64 * 1024
_GZIP_OR_ZLIB = 47


def inflated(data: bytes, max_bytes: int = MAX_BYTES) -> bytes:
    """`data` without its zlib or gzip wrapping, if it has one.

    Raises:
        Opaque: it would be larger than `max_bytes`, or is damaged.
    """
    if data[:1] not in {b"\x78", b"\x1f"}:
        return data
    machine = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = machine.decompress(data, max_bytes)
    except zlib.error as error:
        raise Opaque("not compressed as it says") from error
    if not machine.eof:
        raise Opaque("too large or cut off")
    return plain


def opaque_text(kind: str, data: bytes) -> str:
    """What is shown for bytes that cannot be read: `opaque (pickle, 312 B)`."""
    return f"opaque ({kind}, {len(data)} B)"
