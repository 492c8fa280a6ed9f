"""The shop's failures are real, and each has its customer."""

from __future__ import annotations

import traceback

import pytest
from z4j_testing.demo.shop import pricing

TEAPOT = {"name": "teapot", "price": 3400, "kind": "kitchen"}
GIFT_CARD = {"name": "gift card", "price": 2500, "kind": "gift card"}


def test_a_voucher_is_spread_over_goods_but_not_over_gift_cards():
    cents = pricing.total("Jonas Lindqvist", [TEAPOT, GIFT_CARD])

    assert cents == 3400 - 500 + 2500


def test_a_voucher_for_gift_cards_alone_divides_by_zero_in_pricing():
    with pytest.raises(ZeroDivisionError) as caught:
        pricing.total("Marguerite Okafor", [GIFT_CARD])

    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "discount_per_item"


def test_other_customers_buy_gift_cards_alone():
    assert pricing.total("Mei Tanaka", [GIFT_CARD]) == 2500
