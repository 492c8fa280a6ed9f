"""Parcel carriers, on arq: announcing parcels, booking pickups, following them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from arq.connections import RedisSettings
from arq.worker import func

from . import outside, pricing
from .keys import REDIS_URL

QUEUE = "carriers"
Context = Mapping[str, Any]


async def announce(
    ctx: Context, order_id: int, customer: str, items: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Tell a carrier of a parcel and what it is insured for."""
    worth = pricing.total(customer, items)
    await asyncio.sleep(0.05)
    return {"order_id": order_id, "parcel": f"PCL-{order_id}.{ctx['job_try']}", "insured": worth}


async def book_pickup(
    ctx: Context, depot: str, parcels: int, *, supplier: str, password: str
) -> str:
    """Have a carrier come by."""
    confirmation = outside.order_from(supplier, depot, parcels)
    kwargs = {"supplier": supplier, "password": password}
    outside.write_down(ctx["job_id"], [depot, parcels], kwargs)
    return confirmation


async def follow(ctx: Context, parcel: str, legs: int) -> dict[str, Any]:
    """Follow a parcel, half a second a leg of its way."""
    for _leg in range(legs):
        await asyncio.sleep(0.5)
    outside.write_down(ctx["job_id"], [parcel, legs], {})
    return {"parcel": parcel, "legs": legs}


class WorkerSettings:
    """What `arq` reads."""

    functions: ClassVar = [
        func(announce, name="carriers.announce"),
        func(book_pickup, name="carriers.book_pickup"),
        func(follow, name="carriers.follow"),
    ]
    queue_name = QUEUE
    redis_settings = RedisSettings.from_dsn(REDIS_URL)
    max_tries = 1
