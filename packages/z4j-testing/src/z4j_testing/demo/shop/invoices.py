"""Invoices, on RQ. Each order gets one; the month is archived page by page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from redis import Redis
from rq import Queue, get_current_job
from rq.decorators import job

from . import handing_on, outside, pricing
from .keys import REDIS_URL

queue = Queue("invoices", connection=Redis.from_url(REDIS_URL))


@job(queue, connection=queue.connection)
def render(order_id: int, customer: str, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Write the invoice of an order and tell the carriers that it may go."""
    cents = pricing.total(customer, items)
    time.sleep(0.05)
    handing_on.announce(order_id, customer, list(items))
    return {"order_id": order_id, "invoice": f"INV-{order_id}", "cents": cents}


@job(queue, connection=queue.connection)
def export(ledger: str, entries: int, *, supplier: str, password: str) -> str:
    """Send a ledger to the accountants."""
    confirmation = outside.order_from(supplier, ledger, entries)
    kwargs = {"supplier": supplier, "password": password}
    outside.write_down(_own_id(), [ledger, entries], kwargs)
    return confirmation


@job(queue, connection=queue.connection)
def archive(month: str, pages: int) -> dict[str, Any]:
    """Put the invoices of a month away, half a second a page."""
    for _page in range(pages):
        time.sleep(0.5)
    outside.write_down(_own_id(), [month, pages], {})
    return {"month": month, "pages": pages}


def _own_id() -> str:
    job = get_current_job()
    assert job is not None
    return str(job.id)
