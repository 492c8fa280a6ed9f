"""The search index, on taskiq."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from taskiq import Context, TaskiqDepends
from taskiq_redis import ListQueueBroker

from . import outside, pricing
from .keys import REDIS_URL

broker = ListQueueBroker(REDIS_URL, queue_name="search")
Running = Annotated[Context, TaskiqDepends()]


@broker.task("search.index")
async def index(document: int, words: Sequence[str]) -> dict[str, Any]:
    """Put words of a document into the index."""
    await asyncio.sleep(0.02)
    return {"document": document, "words": len(words)}


@broker.task("search.rank")
async def rank(page: int, customer: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Order offers by what a customer would pay."""
    await asyncio.sleep(0.02)
    return {"page": page, "score": pricing.total(customer, items)}


@broker.task("search.sync")
async def sync(
    shard: str, documents: int, *, supplier: str, password: str, running: Running
) -> str:
    """Copy a shard to where the search is rented."""
    confirmation = outside.order_from(supplier, shard, documents)
    kwargs = {"supplier": supplier, "password": password}
    outside.write_down(running.message.task_id, [shard, documents], kwargs)
    return confirmation


@broker.task("search.reindex")
async def reindex(shard: str, segments: int, running: Running) -> dict[str, Any]:
    """Build a shard anew, half a second a segment."""
    for _segment in range(segments):
        await asyncio.sleep(0.5)
    outside.write_down(running.message.task_id, [shard, segments], {})
    return {"shard": shard, "segments": segments}
