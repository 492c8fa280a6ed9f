"""The body of EVENTS. The rule: writing decodes no item, reading lets none spoil the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgpack

from ..errors import WireError
from .codec import array_header, pack
from .codes import MAX_ARRAY, Fault, fault
from .items import Item, unpack_item
from .schema import U16, U32, U64, read_row

_PARTS = 4


class Head(NamedTuple):
    """Where the items of a batch belong: offsets are `first`, `first` + 1 and so on."""

    handle: U16
    first: U64
    age_ms: U32


class Poison(NamedTuple):
    """An item nobody can read: why, and its bytes."""

    error: WireError
    data: bytes


class Batch(NamedTuple):
    """A decoded batch; `raw[n]` are the bytes of `items[n]`."""

    head: Head
    items: tuple[Item | Poison, ...]
    raw: tuple[bytes, ...]


def events_body(head: Head, bodies: Sequence[bytes]) -> bytes:
    """The body of EVENTS around items that are bytes already."""
    start = b"\x94" + pack(head)[1:] + array_header(len(bodies))
    return start + b"".join(bodies)


def split_events(body: bytes) -> tuple[Head, tuple[bytes, ...]]:
    """Head and items of a batch, the items still bytes.

    Raises:
        WireError: Malformed or Depth.
    """
    reader = msgpack.Unpacker(max_buffer_size=0, max_array_len=MAX_ARRAY)
    reader.feed(body)
    try:
        head = read_row(Head, _head(reader))
        items = tuple(_slices(reader, body))
    except msgpack.exceptions.StackError as error:
        raise fault(Fault.DEPTH, "nested too deeply") from error
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise fault(Fault.MALFORMED, f"not a batch: {type(error).__name__}") from error
    return head, items


def _head(reader: Any) -> list[Any]:
    if reader.read_array_header() < _PARTS:
        raise fault(Fault.MALFORMED, "a batch has four parts")
    return [reader.unpack() for _ in Head._fields]


def _slices(reader: Any, body: bytes) -> Iterator[bytes]:
    count = reader.read_array_header()
    if count > MAX_ARRAY:
        raise fault(Fault.MALFORMED, f"more than {MAX_ARRAY} items")
    start = reader.tell()
    for _ in range(count):
        reader.skip()
        end = reader.tell()
        yield body[start:end]
        start = end


def decode_events(body: bytes) -> Batch:
    """A batch item by item: what cannot be read becomes Poison and costs nobody else.

    Raises:
        WireError: Malformed or Depth, when the batch itself is broken.
    """
    head, raw = split_events(body)
    return Batch(head, tuple(map(_item, raw)), raw)


def _item(data: bytes) -> Item | Poison:
    try:
        return unpack_item(data)
    except WireError as error:
        return Poison(error, data)
