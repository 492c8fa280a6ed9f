"""The warehouse, on Dramatiq: picking, reordering, counting."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage

from . import handing_on, outside, pricing
from .keys import REDIS_URL

broker = RedisBroker(url=REDIS_URL, middleware=None)
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="warehouse.pick", queue_name="warehouse", max_retries=0)
def pick(order_id: int, customer: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Fetch the goods of an order from their shelves and have the search index count them."""
    worth = pricing.total(customer, items)
    time.sleep(0.03 * len(items))
    handing_on.index(order_id, [item["name"] for item in items])
    return {"order_id": order_id, "picked": len(items), "worth": worth}


@dramatiq.actor(actor_name="warehouse.reorder", queue_name="warehouse", max_retries=0)
def reorder(sku: str, pieces: int, *, supplier: str, password: str) -> str:
    """Order goods at a supplier."""
    confirmation = outside.order_from(supplier, sku, pieces)
    kwargs = {"supplier": supplier, "password": password}
    outside.write_down(_own_id(), [sku, pieces], kwargs)
    return confirmation


@dramatiq.actor(actor_name="warehouse.stocktake", queue_name="warehouse", max_retries=0)
def stocktake(aisle: str, shelves: int) -> dict[str, Any]:
    """Count an aisle, half a second a shelf."""
    for _shelf in range(shelves):
        time.sleep(0.5)
    outside.write_down(_own_id(), [aisle, shelves], {})
    return {"aisle": aisle, "shelves": shelves}


def _own_id() -> str:
    message = CurrentMessage.get_current_message()
    assert message is not None
    return str(message.message_id)
