"""Next fires a second: ours, croniter and cronsim on one text, in one run.

`measure()` returns the figures; run as a script it prints them. Each walks from slot to slot of
`0 9 * * mon-fri` in New York; the ratios are of medians, and the rounds of the three alternate.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from datetime import datetime
from time import thread_time
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim
from z4j_core.scheduler.cron import forget, parse
from z4j_core.scheduler.walls import DST, Wall
from z4j_core.scheduler.zone import zone

TEXT, PLACE = "0 9 * * mon-fri", "America/New_York"
START = datetime(2026, 1, 1, tzinfo=ZoneInfo(PLACE))
ROUNDS = 7
YEAR = 260


def ours(steps: int) -> None:
    """Walk through the working days of a few years, as a cached trigger does."""
    timing = Wall(parse(TEXT).times, zone(PLACE), DST["cron"])
    first = int(START.timestamp() * 1000)
    for _ in range(steps // YEAR):
        at = first
        for _ in range(YEAR):
            slot = timing.next(at)
            assert slot is not None
            at = slot.at_ms


def theirs_croniter(steps: int) -> None:
    """The same walk by croniter."""
    for _ in range(steps // YEAR):
        iterator = croniter(TEXT, START)
        for _ in range(YEAR):
            iterator.get_next(datetime)


def theirs_cronsim(steps: int) -> None:
    """The same walk by cronsim."""
    for _ in range(steps // YEAR):
        iterator = CronSim(TEXT, START)
        for _ in range(YEAR):
            next(iterator)


def parsed(steps: int) -> None:
    """Read the text and find one slot, each time anew."""
    for _ in range(steps):
        forget()
        Wall(parse(TEXT).times, zone(PLACE), DST["cron"]).next(1_767_243_600_000)


def rate(walk: Callable[[int], None], steps: int) -> float:
    """Steps a second of CPU."""
    start = thread_time()
    walk(steps)
    return steps / (thread_time() - start)


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """Medians of alternating rounds."""
    share = 10 if quick else 1
    walks = {ours: 520 * 50, theirs_croniter: 260 * 10, theirs_cronsim: 260 * 20, parsed: 2000}
    rates: dict[Callable[[int], None], list[float]] = {walk: [] for walk in walks}
    ours(YEAR)
    for _ in range(ROUNDS):
        for walk, steps in walks.items():
            rates[walk].append(rate(walk, max(steps // share, YEAR)))
    median = {walk: statistics.median(found) for walk, found in rates.items()}
    spread = max(rates[ours]) - min(rates[ours])
    figures = {
        "next_per_s": (median[ours], "1/s"),
        "croniter_per_s": (median[theirs_croniter], "1/s"),
        "cronsim_per_s": (median[theirs_cronsim], "1/s"),
        "ratio_croniter": (median[ours] / median[theirs_croniter], "x"),
        "ratio_cronsim": (median[ours] / median[theirs_cronsim], "x"),
        "parse_next_per_s": (median[parsed], "1/s"),
    }
    return [
        {
            "name": name,
            "value": round(value, 2),
            "unit": unit,
            "runs": ROUNDS,
            "spread": round(spread) if name == "next_per_s" else None,
        }
        for name, (value, unit) in figures.items()
    ]


if __name__ == "__main__":
    for figure in measure():
        print(json.dumps(figure))
