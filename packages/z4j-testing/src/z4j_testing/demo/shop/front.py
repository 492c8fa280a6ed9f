"""The shop's front, on FastAPI: customers order here."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from z4j_fastapi import Z4J

from . import tasks

app = FastAPI(title="The shop")
Z4J(app)


class Order(BaseModel):
    """What a customer sends."""

    order_id: int
    customer: str
    items: list[dict[str, Any]]


@app.post("/orders")
def order(wanted: Order) -> dict[str, str]:
    """Take an order; it is worked on in the background."""
    sent = tasks.checkout.delay(wanted.order_id, wanted.customer, wanted.items)
    return {"order": str(wanted.order_id), "task": sent.id}


@app.get("/healthz")
def healthz() -> dict[str, bool]:
    """Whether the front is open."""
    return {"ok": True}
