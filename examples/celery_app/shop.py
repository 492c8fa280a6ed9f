"""A Celery app under z4j: one line, `z4j.init()`, and it does nothing without a DSN."""

from __future__ import annotations

import os

import z4j
from celery import Celery

app = Celery("shop", broker=os.environ.get("SHOP_BROKER", "redis://127.0.0.1:6379/0"))
app.conf.broker_connection_retry_on_startup = True
z4j.init()


@app.task(name="shop.charge", autoretry_for=(TimeoutError,), max_retries=3, retry_backoff=True)
def charge(order_id: int, cents: int) -> str:
    """Take the money for an order."""
    if cents > 10_000:
        raise ValueError(f"order {order_id}: the limit is 100.00")
    return f"charged {cents} for order {order_id}"


if __name__ == "__main__":
    for number in range(1, 21):
        charge.delay(number, number * 900)
