"""What an order sets going elsewhere. The rule: who is closed today is not told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .keys import OPEN


def bill(order_id: int, customer: str, items: Sequence[dict[str, Any]]) -> None:
    """Have an invoice written."""
    if "rq" in OPEN:
        from . import invoices  # noqa: PLC0415  (a department loads another's queue when it asks)

        invoices.queue.enqueue(invoices.render, order_id, customer, list(items))


def pick(order_id: int, customer: str, items: Sequence[dict[str, Any]]) -> None:
    """Have the goods picked."""
    if "dramatiq" in OPEN:
        from . import warehouse  # noqa: PLC0415  (as above)

        warehouse.pick.send(order_id, customer, list(items))
