"""What the shop does in the background. Times are those of networks and printers, in seconds."""

from __future__ import annotations

import random
import time
import zlib
from typing import Any

from . import ordering, outside, pricing
from .app import app


@app.task(name="shop.checkout")
def checkout(order_id: int, customer: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Price an order, ask for the money, confirm by mail, have it invoiced and picked."""
    cents = pricing.total(customer, items)
    charge.delay(order_id, cents, card=_card_of(customer))
    send_mail.delay(_address(customer), f"Your order {order_id}", template="confirmation")
    ordering.bill(order_id, customer, items)
    ordering.pick(order_id, customer, items)
    return {"order_id": order_id, "cents": cents, "items": len(items)}


@app.task(
    name="shop.charge",
    autoretry_for=(outside.GatewayTimeout,),
    max_retries=3,
    retry_backoff=1,
    retry_backoff_max=6,
    retry_jitter=True,
)
def charge(order_id: int, cents: int, card: str) -> dict[str, Any]:
    """Take the money for an order; the gateway sometimes needs a second try."""
    time.sleep(random.uniform(0.02, 0.15))
    return {"order_id": order_id, "reference": outside.authorise(order_id, cents, card)}


@app.task(name="shop.refund")
def refund(order_id: int, cents: int, reason: str) -> str:
    """Give money back."""
    time.sleep(random.uniform(0.02, 0.1))
    return f"refunded {cents} for {order_id}: {reason}"


@app.task(name="shop.send_mail", bind=True)
def send_mail(self: Any, to: str, subject: str, template: str = "plain") -> str:
    """Render and send one mail."""
    time.sleep(random.uniform(0.01, 0.06))
    outside.write_down(self.request.id, [to, subject], {"template": template})
    return f"<{self.request.id}@shop.example>"


@app.task(name="shop.thumbnail")
def thumbnail(image: str, width: int) -> dict[str, Any]:
    """Shrink one picture."""
    pixels = bytes((x * y) % 251 for x in range(width) for y in range(64))
    return {"image": image, "width": width, "bytes": len(zlib.compress(pixels))}


@app.task(name="shop.monthly_report", bind=True)
def monthly_report(self: Any, month: str, pages: int) -> dict[str, Any]:
    """Typeset a report, half a second a page."""
    for _page in range(pages):
        time.sleep(0.5)
    outside.write_down(self.request.id, [month, pages], {})
    return {"month": month, "pages": pages}


@app.task(name="shop.restock", bind=True)
def restock(self: Any, sku: str, pieces: int, *, supplier: str, password: str) -> str:
    """Order goods at a supplier."""
    confirmation = outside.order_from(supplier, sku, pieces)
    outside.write_down(self.request.id, [sku, pieces], {"supplier": supplier, "password": password})
    return confirmation


def _card_of(customer: str) -> str:
    return "4000-0000-0000-0002" if customer == "Ingrid Sørensen" else "4242-4242-4242-4242"


def _address(customer: str) -> str:
    return customer.lower().replace(" ", ".") + "@mail.example"
