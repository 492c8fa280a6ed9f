"""Ordered values as half-open spans. The rule: `>=2s`, `1s..2s` and a whole day are one thing.

A time names all of its day, minute or second; a bare duration all of its unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import NamedTuple

from .keys import KEYS, Key, Kind
from .tree import Field, Value
from .values import duration_us, instant_us


class Span(NamedTuple):
    """`least` <= x < `below`; None is open."""

    least: int | None
    below: int | None

    def holds(self, number: int | None) -> bool:
        """Whether `number` lies inside; what is unknown never does."""
        if number is None:
            return False
        above = self.least is None or number >= self.least
        return above and (self.below is None or number < self.below)


def spans(node: Field, now_us: int, zone: tzinfo, keys: Mapping[str, Key] = KEYS) -> list[Span]:
    """One span per value of a field with an order."""
    return [_span(keys[node.key].kind, node.op, value, now_us, zone) for value in node.values]


def _span(kind: Kind, op: str, value: Value, now_us: int, zone: tzinfo) -> Span:
    if value.is_range:
        lower = _scalar(kind, value.text, "..", now_us, zone)[0] if value.text else None
        upper = _scalar(kind, value.upper, "..", now_us, zone)[1] if value.upper else None
        return Span(lower, upper)
    first, after = _scalar(kind, value.text, op, now_us, zone)
    return {
        "": Span(first, after),
        "=": Span(first, after),
        ">": Span(after, None),
        ">=": Span(first, None),
        "<": Span(None, first),
        "<=": Span(None, after),
    }[op]


def _scalar(kind: Kind, text: str, op: str, now_us: int, zone: tzinfo) -> tuple[int, int]:
    """The first number `text` means and the first one after it."""
    if kind is Kind.TIME:
        return instant_us(text, now_us, zone)
    if kind is Kind.DURATION:
        number, unit = duration_us(text)
        return number, number + (unit if op == "" else 1)
    number = int(text)
    return number, number + 1
