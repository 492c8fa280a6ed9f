"""What of a batch is new. The rule: nothing is applied twice, no hole is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .codes import Fault, fault
from .items import Item, Lost, span

_MAX_OFFSET = 2**64 - 1


class Watermark(NamedTuple):
    """What is stored of one segment: everything up to `upto`, written under `epoch`."""

    epoch: int
    upto: int


class Admitted(NamedTuple):
    """The new part of a batch: `items` from index `skip` on, `lost` events missing among them."""

    skip: int
    lost: int
    mark: Watermark


def admit(stored: Watermark, epoch: int, first: int, items: Sequence[Item | object]) -> Admitted:
    """Decide which items of a batch at offset `first` count, and the next watermark.

    Raises:
        WireError: Epoch for a sender that was replaced, Gap for a hole or an impossible offset.
            Nothing of the batch may be stored.
    """
    if epoch < stored.epoch:
        raise fault(Fault.EPOCH, f"epoch {epoch} after {stored.epoch}")
    if not 1 <= first <= stored.upto + 1:
        raise fault(Fault.GAP, f"offset {first} where {stored.upto + 1} was due")
    upto, skip, lost, offset = stored.upto, 0, 0, first
    for item in items:
        last = span(item, offset) if isinstance(item, Lost) else offset
        if last > _MAX_OFFSET - 1:
            raise fault(Fault.GAP, "an offset beyond the last one")
        if last <= upto:
            skip += 1
        else:
            lost += min(item.n, last - upto) if isinstance(item, Lost) else 0
            upto = last
        offset = last + 1
    return Admitted(skip, lost, Watermark(epoch, upto))
