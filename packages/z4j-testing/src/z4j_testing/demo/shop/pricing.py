"""What an order costs. Vouchers are spread over the items that are not gift cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

VOUCHERS = {"Marguerite Okafor": 1500, "Jonas Lindqvist": 500}
"""Cents of voucher a customer has left."""


def total(customer: str, items: Sequence[Mapping[str, Any]]) -> int:
    """Cents to pay for `items` after the customer's voucher."""
    voucher = VOUCHERS.get(customer, 0)
    discount = discount_per_item(items, voucher) if voucher else 0
    return sum(max(item["price"] - discount_of(item, discount), 0) for item in items)


def discount_of(item: Mapping[str, Any], discount: int) -> int:
    """Cents taken off one item; a gift card is money and is never discounted."""
    return 0 if item["kind"] == "gift card" else discount


def discount_per_item(items: Sequence[Mapping[str, Any]], voucher: int) -> int:
    """Cents of a voucher that fall on each discounted item."""
    discounted = [item for item in items if item["kind"] != "gift card"]
    return voucher // len(discounted)
