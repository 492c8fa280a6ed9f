"""The brain is away for minutes. The rule: every slot is on time, and the history has all of them.

`Z4J_SOAK_AWAY_S` tells for how many seconds.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import pytest
from failover_books import balance, incomplete, percentile
from failover_group import Group, now_ms
from failover_place import Place

AWAY_S = float(os.environ.get("Z4J_SOAK_AWAY_S", "600"))
ON_TIME_MS = 1_000
never = threading.Event()


@pytest.mark.timeout(3_600)
@pytest.mark.soak
@pytest.mark.parametrize("away_s", [20, AWAY_S])
def test_every_slot_is_on_time_without_a_brain_and_told_when_it_is_back(
    tmp_path, away_s, record_property
):
    with Place(tmp_path) as place, Group(place, "shop", ttl_s=5) as group:
        group.start(candidates=2)
        group.settled()
        place.brain.kill()
        gone = now_ms()
        never.wait(away_s)
        back = now_ms()
        meanwhile = [replace(plan, since_ms=gone) for plan in group.plans]
        alone = balance(meanwhile, group.runs.read(), back - 2 * ON_TIME_MS)
        place.brain.start()
        until = now_ms()
        books = group.books(until)
        told = [incomplete(place.brain, plan, until) for plan in group.plans]

    lags = alone.lags
    said = (
        f"brain away for {away_s:.0f} s: {alone.due} slots due meanwhile, run after p50 "
        f"{percentile(lags, 50)}, p99 {percentile(lags, 99)}, at most {max(lags)} ms; "
        f"{books.due} in the history"
    )
    assert (alone.lost, alone.doubled) == ([], []), said
    assert (books.lost, books.doubled, told) == ([], [], [[], []]), said
    assert percentile(lags, 99) <= ON_TIME_MS, said
    record_property("figures", said)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_another_leads_without_a_brain_and_the_history_has_the_slots_of_both(tmp_path):
    with Place(tmp_path) as place, Group(place, "shop", ttl_s=5) as group:
        group.start(candidates=2)
        word, leader = group.settled()
        place.brain.kill()
        leader.send(signal.SIGKILL)
        after = group.follower(word)
        never.wait(5)
        leader.again()
        place.brain.start()
        until = now_ms()
        books = group.books(until)
        told = [incomplete(place.brain, plan, until) for plan in group.plans]

    assert (books.lost, books.doubled, told) == ([], [], [[], []])
    assert after.pid != word.pid
