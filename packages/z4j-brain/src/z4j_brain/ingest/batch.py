"""Which items of a batch are new. The rule: offsets up to the watermark are never applied again.

Pure: a batch and a watermark in, new items and the next watermark out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .items import Item, Lost
from .rows import Meta


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One EVENTS record of one session, decoded."""

    project_id: str
    stream: str
    cls: int
    segment: str
    epoch: int
    first: int
    items: Sequence[Item]
    meta: Meta = field(default_factory=Meta)
    received_us: int = 0

    @property
    def place(self) -> tuple[str, int, str]:
        """Key of the watermark this batch moves."""
        return self.stream, self.cls, self.segment


class Fresh(NamedTuple):
    """New items with their offsets, and the watermark after them."""

    items: Sequence[tuple[int, Item]]
    upto: int


class Gap(Exception):
    """The batch starts after watermark + 1; nothing of it may be applied."""


def fresh(batch: Batch, watermark: int) -> Fresh:
    """Items of `batch` after `watermark`; a LOST span is cut to its new part.

    Raises:
        Gap: an offset between watermark and batch was never seen.
    """
    if not 1 <= batch.first <= watermark + 1:
        raise Gap
    new: list[tuple[int, Item]] = []
    offset = batch.first
    for item in batch.items:
        last = offset
        if type(item) is Lost and item.to > offset:
            last = item.to
        if last > watermark:
            new.append((offset, _cut(item, last - max(watermark, offset - 1))))
        offset = last + 1
    return Fresh(new, max(watermark, offset - 1))


def _cut(item: Item, span: int) -> Item:
    if type(item) is not Lost or item.to == 0 or item.n <= span:
        return item
    return Lost(item.reason, span, item.to, item.first, item.last)
