"""The world the shop depends on: a payment gateway, suppliers, and a book of what truly ran."""

from __future__ import annotations

import hashlib
import json
import random
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis

from .keys import BOOK, REDIS_URL, SUPPLIERS_DOWN

_redis: Redis = Redis.from_url(REDIS_URL, decode_responses=True)

CLOSED_PORT = ("127.0.0.1", 1)
TIMEOUT_SHARE = 0.25
"""How many of the gateway's answers come too late."""


class GatewayTimeout(Exception):
    """The payment gateway did not answer in time; it may work in a moment."""


class CardDeclined(Exception):
    """The bank said no; asking again changes nothing."""


class SupplierUnreachable(Exception):
    """The supplier's order desk refuses connections."""


def authorise(order_id: int, cents: int, card: str) -> str:
    """Ask the gateway for money and return its reference."""
    if card.endswith("0002"):
        raise CardDeclined(f"{card[-4:]}: insufficient funds for {cents / 100:.2f} EUR")
    if random.random() < TIMEOUT_SHARE:
        raise GatewayTimeout(f"no answer for order {order_id} after 150 ms")
    return hashlib.blake2b(f"{order_id}:{cents}".encode(), digest_size=6).hexdigest()


def order_from(supplier: str, sku: str, pieces: int) -> str:
    """Order `pieces` of `sku` and return the supplier's confirmation."""
    if _redis.sismember(SUPPLIERS_DOWN, supplier):
        try:
            socket.create_connection(CLOSED_PORT, timeout=1).close()
        except OSError as error:
            raise SupplierUnreachable(f"{supplier} refuses orders for {sku}") from error
    return f"{supplier}-{sku}-{pieces}"


def write_down(task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Note in the book that a task ran to its end, with the arguments it truly had."""
    _redis.hset(BOOK, task_id, json.dumps([list(args), dict(kwargs)], ensure_ascii=False))
