"""A batch the database refuses, item by item. The rule: one bad item costs one item, never a loop.

First each item is tried as it is, then without what no database stores (NUL, free documents),
at last it is given up, kept as poison and counted as lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from .batch import Batch
from .items import NOTHING, Lost, Poison

_SHOWN = "\ufffd"


def pieces(batch: Batch) -> Iterator[Batch]:
    """The batch as batches of one item each, at the same offsets."""
    offset = batch.first
    for item in batch.items:
        yield replace(batch, first=offset, items=(item,))
        offset = max(offset, item.to) + 1 if type(item) is Lost else offset + 1


def cleaned(piece: Batch) -> Batch:
    """A batch of one item without NUL characters and without free documents."""
    item = piece.items[0]
    if not isinstance(item, msgspec.Struct):
        return piece
    changes: dict[str, Any] = {}
    for name in item.__struct_fields__:
        value = getattr(item, name)
        clean = NOTHING if isinstance(value, msgspec.Raw) else _clean(value)
        if clean is not value:
            changes[name] = clean
    return replace(piece, items=(msgspec.structs.replace(item, **changes),))


def given_up(piece: Batch, error: BaseException) -> Batch:
    """A batch of one poison in place of its item."""
    return replace(piece, items=(Poison(repr(piece.items[0]).encode()[:512], str(error)[:200]),))


def _clean(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\0", _SHOWN) if "\0" in value else value
    if isinstance(value, dict):
        return {_clean(name): _clean(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, msgspec.Struct):
        fields = {name: _clean(getattr(value, name)) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    return value
