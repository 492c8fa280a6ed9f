"""Leaders that are killed, stopped, cut off and told to stop, over and over.

The rule: every slot runs exactly once, whatever happens to who fires it. Tasks count themselves; at
the end the brain's history says the same. `Z4J_SOAK_CYCLES` tells how many cycles.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from failover_books import incomplete, percentile
from failover_group import KINDS, Group, fail_over, now_ms
from failover_place import Place

CYCLES = int(os.environ.get("Z4J_SOAK_CYCLES", "500"))
SEED = int(os.environ.get("Z4J_SOAK_SEED", "1"))
GROUPS = (("redis", 5), ("postgresql", 5), ("redis", None), ("postgresql", 5), ("redis", 5))
"""Lease stores and how long their leases last, in seconds; None for the usual time."""
CRASH_MS, GRACEFUL_MS = 15_000, 1_000
_turn = threading.Lock()


def live_through(place, number, store, ttl_s, kinds):
    """One group through its share of the cycles; what each took, and its books."""
    chance = random.Random(f"{SEED} {number}")
    took = []
    with Group(place, f"shop{number}", store, ttl_s) as group:
        group.start()
        while True:
            with _turn:
                kind = next(kinds, None)
            if kind is None:
                break
            took.append(fail_over(group, kind, chance))
            print(f"{group.app}: {took[-1]}", flush=True)
        until = now_ms()
        books = group.books(until)
        told = [incomplete(place.brain, plan, until) for plan in group.plans]
    return took, books, told


def run_all(home, groups, cycles):
    """Live through so many cycles; (took, books, told) of all groups."""
    kinds = iter(list(itertools.islice(itertools.cycle(KINDS), cycles)))
    with Place(home) as place, ThreadPoolExecutor(len(groups)) as pool:
        made = [
            pool.submit(live_through, place, number, *each, kinds)
            for number, each in enumerate(groups)
        ]
        return [each.result() for each in made]


def judge(found, record_property):
    took = [each for part, _, _ in found for each in part]
    said = figures(took, [books for _, books, _ in found])
    print(said)
    assert [books.lost for _, books, _ in found] == [[]] * len(found), said
    assert [books.doubled for _, books, _ in found] == [[]] * len(found), said
    assert [told for _, _, parts in found for told in parts if told] == [], said
    late = [t for t in took if t.led > CRASH_MS or (t.gap or 0) > GRACEFUL_MS]
    late += [t for t in took if t.kind == "kill" and t.fired > CRASH_MS]
    assert late == [], said
    record_property("figures", said)


def figures(took, books):
    due, lags = sum(b.due for b in books), [lag for b in books for lag in b.lags]
    lost, doubled = sum(len(b.lost) for b in books), sum(len(b.doubled) for b in books)
    first = (
        f"{len(took)} failovers, {due} slots due: {lost} lost, {doubled} doubled; a slot ran after "
        f"p50 {percentile(lags, 50)}, p99 {percentile(lags, 99)}, at most {max(lags, default=0)} ms"
    )
    parts = [first]
    for kind, ttl_s in sorted({(t.kind, t.ttl_s or 0) for t in took}):
        led = [t.led for t in took if (t.kind, t.ttl_s or 0) == (kind, ttl_s)]
        fired = [t.fired for t in took if (t.kind, t.ttl_s or 0) == (kind, ttl_s)]
        parts.append(
            f"{kind} x {len(led)}, ttl {ttl_s or 'usual'}: led after p50 {percentile(led, 50)}, "
            f"p95 {percentile(led, 95)}, at most {max(led)} ms; fired after p50 "
            f"{percentile(fired, 50)}, p95 {percentile(fired, 95)}, at most {max(fired)} ms"
        )
    gaps = [t.gap for t in took if t.gap is not None]
    if gaps:
        parts.append(
            f"told to stop: nobody led for p50 {percentile(gaps, 50)}, at most {max(gaps)} ms"
        )
    load = os.getloadavg()
    return "\n  ".join([*parts, f"load of this machine {load[0]:.1f} {load[1]:.1f} {load[2]:.1f}"])


@pytest.mark.timeout(600)
def test_a_handful_of_failovers_loses_no_slot_and_doubles_none(tmp_path, record_property):
    judge(run_all(tmp_path, (("redis", 5),), len(KINDS)), record_property)


@pytest.mark.soak
@pytest.mark.timeout(10_800)
def test_hundreds_of_failovers_lose_no_slot_and_double_none(tmp_path, record_property):
    judge(run_all(tmp_path, GROUPS, CYCLES), record_property)
