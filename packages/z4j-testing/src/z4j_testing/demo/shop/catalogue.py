"""The catalogue, on Huey: prices, pages, pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from huey import RedisHuey

from . import handing_on, outside, pricing
from .keys import REDIS_URL

huey = RedisHuey("catalogue", url=REDIS_URL)


@huey.task()
def publish(page: int, customer: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Put a page of offers online, with the price a customer would see."""
    price = pricing.total(customer, items)
    time.sleep(0.02)
    handing_on.index(page, [item["name"] for item in items])
    return {"page": page, "offers": len(items), "price": price}


@huey.task(context=True)
def fetch_prices(
    feed: str, rows: int, *, supplier: str, password: str, task: Any = None
) -> str:  # fmt: skip
    """Ask a supplier for prices."""
    confirmation = outside.order_from(supplier, feed, rows)
    kwargs = {"supplier": supplier, "password": password}
    outside.write_down(task.id, [feed, rows], kwargs)
    return confirmation


@huey.task(context=True)
def rebuild(season: str, pages: int, task: Any = None) -> dict[str, Any]:
    """Lay the catalogue out anew, half a second a page."""
    for _page in range(pages):
        time.sleep(0.5)
    outside.write_down(task.id, [season, pages], {})
    return {"season": season, "pages": pages}
