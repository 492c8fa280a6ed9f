"""What each department is asked on the tour. The rule: real work of the shop, one row an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CARD = {"name": "gift card", "price": 2500, "kind": "gift card"}
TEAPOT = {"name": "teapot", "price": 3400, "kind": "kitchen"}
SECRET = "kept-by-the-app-alone-42"  # noqa: S105  the value a brain must never need
PAGES = 80
LOST_ON_VOUCHERS = "Marguerite Okafor"
Call = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Stop:
    """One engine: what it is asked, and what is possible there."""

    engine: str
    good: Call
    shown: str
    """What the result of the good one has in it."""
    bug: Call
    picky: Call
    """Needs the supplier `atlas`, and a password."""
    lasting: Call
    waits: Call
    """What is cancelled before it starts; with a delay, where the engine has delays."""
    has_delays: bool = True
    stop: str = "terminate"
    """How a running one is ended: `cancel` where all runs share a process."""


_BUG = [4712, LOST_ON_VOUCHERS, [CARD]]
_GOOD = [4711, "Ada Petrova", [TEAPOT]]
_INVOICES = "shop.invoices"
_CATALOGUE = "shop.catalogue"
STOPS: Mapping[str, Stop] = {
    "celery": Stop(
        "celery",
        good=("shop.send_mail", ["mei.tanaka@mail.example", "Your order 4711"]),
        shown="@shop.example",
        bug=("shop.checkout", _BUG),
        picky=("shop.restock", ["sku-Ω-1", 2**60 + 1]),
        lasting=("shop.monthly_report", ["2026-10", PAGES]),
        waits=("shop.send_mail", ["noor.haddad@mail.example", "A reminder nobody wants"]),
    ),
    "rq": Stop(
        "rq",
        good=(f"{_INVOICES}.render", _GOOD),
        shown="INV-4711",
        bug=(f"{_INVOICES}.render", _BUG),
        picky=(f"{_INVOICES}.export", ["ledger-Ω-1", 2**60 + 1]),
        lasting=(f"{_INVOICES}.archive", ["2026-10", PAGES]),
        waits=(f"{_INVOICES}.archive", ["2026-09", 1]),
    ),
    "dramatiq": Stop(
        "dramatiq",
        good=("warehouse.pick", _GOOD),
        shown="picked",
        bug=("warehouse.pick", _BUG),
        picky=("warehouse.reorder", ["sku-Ω-1", 2**60 + 1]),
        lasting=("warehouse.stocktake", ["aisle 7", PAGES]),
        waits=("warehouse.stocktake", ["aisle 8", 1]),
        stop="cancel",
    ),
    "huey": Stop(
        "huey",
        good=(f"{_CATALOGUE}.publish", _GOOD),
        shown="offers",
        bug=(f"{_CATALOGUE}.publish", _BUG),
        picky=(f"{_CATALOGUE}.fetch_prices", ["feed-Ω-1", 2**60 + 1]),
        lasting=(f"{_CATALOGUE}.rebuild", ["winter", PAGES]),
        waits=(f"{_CATALOGUE}.rebuild", ["spring", 1]),
        stop="cancel",
    ),
    "arq": Stop(
        "arq",
        good=("carriers.announce", _GOOD),
        shown="PCL-4711",
        bug=("carriers.announce", _BUG),
        picky=("carriers.book_pickup", ["depot-Ω-1", 2**60 + 1]),
        lasting=("carriers.follow", ["PCL-1", PAGES]),
        waits=("carriers.follow", ["PCL-2", 1]),
        stop="cancel",
    ),
    "taskiq": Stop(
        "taskiq",
        good=("search.rank", _GOOD),
        shown="score",
        bug=("search.rank", _BUG),
        picky=("search.sync", ["shard-Ω-1", 2**60 + 1]),
        lasting=("search.reindex", ["shard-1", PAGES]),
        waits=("search.reindex", ["shard-2", 1]),
        has_delays=False,
        stop="cancel",
    ),
}
