"""What the shop does by the clock. The rule: at every engine one short run often, others seldom.

Staff wrote these in one file, as anybody does who declares schedules; the brain takes them as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from z4j_core.scheduler.declare import read_declared

from .rest import Rest

TAG = "shop"
EVERY_S = 10
"""How often each engine has a run by the clock."""
_PARIS = "Europe/Paris"
_NEW_YORK = "America/New_York"
Plan = Mapping[str, Any]

OFTEN: Mapping[str, tuple[str, Plan]] = {
    "celery": (
        "morning letter",
        {"task": "shop.send_mail", "args": ["staff@shop.example", "What sells today"],
         "queue": "mail"},
    ),
    "rq": (
        "file invoices",
        {"task": "shop.invoices.archive", "args": ["2026-11", 1], "queue": "ledger"},
    ),
    "dramatiq": ("count an aisle", {"task": "warehouse.stocktake", "args": ["aisle 3", 1]}),
    "huey": ("rebuild a page", {"task": "shop.catalogue.rebuild", "args": ["advent", 1]}),
    "arq": ("look for parcels", {"task": "carriers.follow", "args": ["PCL-31", 1]}),
    "taskiq": ("refresh the index", {"task": "search.reindex", "args": ["shard-3", 1]}),
}  # fmt: skip
"""One an engine: what `z4j demo --check` waits for."""

SELDOM: Mapping[str, Sequence[tuple[str, Plan]]] = {
    "celery": [
        ("monthly report",
         {"task": "shop.monthly_report", "args": ["2026-11", 12], "queue": "reports",
          "cron": "0 6 L * *", "tz": _PARIS, "overlap": "skip",
          "description": "On the last day of a month, before the office opens."}),
        ("night before the clocks change",
         {"task": "shop.send_mail", "args": ["night@shop.example", "Shift hand-over"],
          "queue": "mail", "cron": "30 1 * * *", "tz": _NEW_YORK}),
    ],
    "rq": [
        ("close the books",
         {"task": "shop.invoices.archive", "args": ["2026-11", 4], "queue": "ledger",
          "cron": "15 23 * * mon-fri", "tz": _PARIS, "catchup": "fire_all",
          "overlap": "buffer_one"}),
    ],
    "dramatiq": [
        ("weekly stocktake",
         {"task": "warehouse.stocktake", "args": ["all aisles", 20], "cron": "0 21 * * 5L",
          "tz": _PARIS, "overlap": "skip"}),
    ],
    "huey": [
        ("shop window lights",
         {"task": "shop.catalogue.rebuild", "args": ["evening", 1],
          "solar": {"event": "dusk_civil", "lat": 48.8566, "lon": 2.3522}}),
    ],
    "arq": [
        ("late parcels",
         {"task": "carriers.follow", "args": ["all", 2], "cron": "*/15 8-20 * * mon-sat",
          "tz": _PARIS}),
    ],
    "taskiq": [
        ("whole index",
         {"task": "search.reindex", "args": ["all", 8], "cron": "0 4 * * sun", "tz": _PARIS}),
    ],
}  # fmt: skip


def declared(engines: Sequence[str]) -> Plan:
    """The schedules of these engines, as one writes them."""
    found: dict[str, Plan] = {}
    for engine in engines:
        name, plan = OFTEN[engine]
        found[name] = {"engine": engine, "interval": EVERY_S, **plan}
        found |= {name: {"engine": engine, **plan} for name, plan in SELDOM[engine]}
    return {"tag": TAG, "schedules": found}


def are_known(rest: Rest, engines: Sequence[str]) -> bool:
    """Whether an agent of each engine has reported to the brain."""
    groups = rest.get("schedules/groups")["items"]
    return set(engines) <= {each["engine"] for each in groups}


def hang_up(rest: Rest, engines: Sequence[str]) -> None:
    """Tell the brain what is done by the clock.

    Raises:
        RestError: it did not take it.
    """
    found = read_declared(declared(engines)).declared
    schedules = {name: entry.brief() for name, entry in found.entries.items()}
    rest.post("schedules/apply", {"tag": found.tag, "schedules": schedules})
