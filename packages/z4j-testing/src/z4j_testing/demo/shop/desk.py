"""Customers and staff: they come at a steady rate; who asks at the desk is served first.

The rule: it only enqueues, or has the front and the office do so.
`python -m shop.desk RATE`, in tasks a second.
"""

from __future__ import annotations

import json
import os
import random
import sys
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis

from . import tasks
from .keys import DESK, OPEN, REDIS_URL, SUPPLIERS_DOWN
from .sending import SEND, Wish

FRONT = os.environ.get("SHOP_FRONT")
OFFICE = os.environ.get("SHOP_OFFICE")
"""Where the front and the office answer; without them, they are passed by."""

OUTAGE_EVERY = 400
"""Customers between two outages of a supplier."""
CUSTOMERS = (
    "Ada Petrova", "Jonas Lindqvist", "Mei Tanaka", "Ingrid Sørensen", "Tomás Herrera",
    "Noor Haddad", "Kwame Mensah", "Louise Fontaine",
)  # fmt: skip
GOODS = (
    ("teapot", 3400, "kitchen"), ("linen apron", 2600, "kitchen"), ("field notes", 1200, "paper"),
    ("brass lamp", 8900, "light"), ("candle", 900, "light"), ("gift card", 2500, "gift card"),
)  # fmt: skip


def _pick(choices: tuple[tuple[Callable[[int], None], int], ...]) -> Callable[[int], None]:
    (chosen,) = random.choices([c for c, _ in choices], [weight for _, weight in choices])
    return chosen


def _items(count: int) -> list[dict[str, Any]]:
    names = random.choices(GOODS[:-1], k=count)
    return [{"name": name, "price": price, "kind": kind} for name, price, kind in names]


def _order(order_id: int) -> None:
    _order_of(order_id, random.choice(CUSTOMERS), _items(random.randint(1, 4)))


def _voucher_for_gift_cards(order_id: int) -> None:
    card = {"name": "gift card", "price": 2500, "kind": "gift card"}
    _order_of(order_id, "Marguerite Okafor", [card])


def _picture(order_id: int) -> None:
    name = random.choice(GOODS)[0].replace(" ", "-")
    tasks.thumbnail.delay(f"{name}-{order_id}.jpg", random.choice((120, 320, 640)))


def _newsletter(order_id: int) -> None:
    customer = random.choice(CUSTOMERS).lower().replace(" ", ".")
    tasks.send_mail.apply_async(
        (f"{customer}@mail.example", f"New this week, no. {order_id % 52}"),
        {"template": "newsletter"},
        countdown=random.choice((0, 0, 0, 20)),
    )


def _restock(order_id: int) -> None:
    supplier = random.choice(("nordwind", "nordwind", "kestrel"))
    tasks.restock.delay(f"sku-{order_id % 97}", 12, supplier=supplier, password="s3cret")  # noqa: S106


def _refund(order_id: int) -> None:
    cents = random.randint(5, 90) * 100
    wanted = {"order_id": order_id, "cents": cents, "reason": "arrived broken"}
    if OFFICE is None:
        tasks.refund.delay(*wanted.values())
    else:
        _post(f"{OFFICE}/refunds", wanted)


def _report(order_id: int) -> None:
    tasks.monthly_report.delay(f"2026-{order_id % 12 + 1:02}", random.randint(8, 40))


def _order_of(order_id: int, customer: str, items: list[dict[str, Any]]) -> None:
    if FRONT is None:
        tasks.checkout.delay(order_id, customer, items)
    else:
        _post(f"{FRONT}/orders", {"order_id": order_id, "customer": customer, "items": items})


def _post(url: str, document: dict[str, Any]) -> None:
    asked = urllib.request.Request(  # noqa: S310  (the shop's own front and office)
        url, json.dumps(document).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(asked, timeout=5).close()  # noqa: S310  (as above)


def _other(engine: str, task: str, *args: Any, **kwargs: Any) -> None:
    SEND[engine](Wish(task, args, kwargs, str(uuid.uuid4())))


def _archive(order_id: int) -> None:
    _other("rq", "shop.invoices.archive", f"2026-{order_id % 12 + 1:02}", random.randint(4, 16))


def _reorder(order_id: int) -> None:
    supplier = random.choice(("nordwind", "kestrel", "kestrel"))
    _other(
        "dramatiq",
        "warehouse.reorder",
        f"sku-{order_id % 97}",
        6,
        supplier=supplier,
        password="s3cret",  # noqa: S106
    )


def _publish(order_id: int) -> None:
    _other("huey", "shop.catalogue.publish", order_id, random.choice(CUSTOMERS), _items(3))


def _prices(order_id: int) -> None:
    supplier = random.choice(("nordwind", "kestrel", "kestrel"))
    _other("huey", "shop.catalogue.fetch_prices", "all", order_id % 90, supplier=supplier,
           password="s3cret")  # fmt: skip  # noqa: S106


def _parcel(order_id: int) -> None:
    _other("arq", "carriers.follow", f"PCL-{order_id}", random.randint(1, 6))


def _rank(order_id: int) -> None:
    _other("taskiq", "search.rank", order_id, random.choice(CUSTOMERS), _items(4))


VISITS: Mapping[str, tuple[tuple[Callable[[int], None], int], ...]] = {
    "celery": (
        (_order, 30), (_picture, 30), (_newsletter, 22), (_restock, 8), (_refund, 6),
        (_voucher_for_gift_cards, 2), (_report, 1),
    ),
    "rq": ((_archive, 1),),
    "dramatiq": ((_reorder, 6),),
    "huey": ((_publish, 14), (_prices, 5)),
    "arq": ((_parcel, 8),),
    "taskiq": ((_rank, 14),),
}  # fmt: skip
"""What people come for, by department, with how often."""


def visitor(order_id: int) -> None:
    """One customer does one thing."""
    _pick(tuple(visit for name in OPEN for visit in VISITS[name]))(order_id)


def serve(rate: float) -> None:
    """Enqueue `rate` tasks a second, and at once what is asked for at the desk."""
    redis: Redis = Redis.from_url(REDIS_URL, decode_responses=True)
    order_id = 4100
    while True:
        asked: Any = redis.blpop([DESK], timeout=1 / rate)
        if asked is not None:
            wish = json.loads(asked[1])
            SEND[wish.pop("engine")](Wish(**wish))
            continue
        order_id += 1
        _weather(redis, order_id)
        visitor(order_id)


def _weather(redis: Redis, order_id: int) -> None:
    """The supplier Nordwind is unreachable for a quarter of the time."""
    down = order_id % OUTAGE_EVERY > OUTAGE_EVERY * 3 // 4
    (redis.sadd if down else redis.srem)(SUPPLIERS_DOWN, "nordwind")


if __name__ == "__main__":
    serve(float(sys.argv[1]))
