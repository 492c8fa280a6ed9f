"""Agents and brain on two machines that lose each other. The rule: back within seconds of healing.

A heal counts from the moment the way is open until the brain stores more of that agent.
"""

from __future__ import annotations

import itertools
import os
import threading
import time

import pytest
from chaos_hosts import Place, balances
from chaos_net import wire
from z4j_testing.signals import eventually

HEALS = int(os.environ.get("Z4J_CHAOS_HEALS", "30"))
AWAY_S = (30, 6, 45, 12, 35, 20, 60)
"""How long a cut lasts: shorter and longer than the silence after which an agent dials again."""
AGENTS, RATE, MOST_S = 5, 10, 5.0
never = threading.Event()
pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]


@pytest.fixture
def cable():
    with wire() as laid:
        yield laid


@pytest.fixture
def place(cable, tmp_path):
    options = ("--host", "localhost")
    with Place(tmp_path) as made:
        made.brain.prefix, made.brain.options = cable.exec(cable.brain), options
        made.brain.start()
        yield made


@pytest.fixture
def hosts(place, cable):
    there = cable.exec(cable.agents)
    made = [place.host(f"h{n}", prefix=there) for n in range(AGENTS)]
    for host in made:
        host.ask(rate=RATE)
    eventually(lambda: len(stored(place)) == AGENTS, "all agents", 40)
    return made


def stored(place):
    """Stream to how far the brain has its facts."""
    found = place.brain.rows("SELECT stream, sum(watermark) FROM streams GROUP BY stream")
    return {stream: int(mark) for stream, mark in found}


def test_agents_are_back_within_seconds_after_their_network_is(
    place, hosts, cable, record_property
):
    took, waits = [], itertools.cycle(AWAY_S)
    for name, (cut, heal) in itertools.islice(itertools.cycle(cable.cuts.items()), HEALS):
        away_s = next(waits)
        cut()
        never.wait(away_s)
        before = stored(place)
        heal()
        took += [(back_s, name, away_s) for back_s in returns(place, before)]

    for host in hosts:
        books = host.ask()
        assert balances(place, books)[1] == 0
    told = sum(host.told()[1] for host in hosts)
    place.holds(told)
    record_property("figures", figures(took, told))
    assert p95(took) <= MOST_S, sorted(took)[-12:]


def returns(place, before):
    """Seconds from now after which the brain had more of each agent."""
    back, since = {}, time.monotonic()

    def all_are():
        for stream, mark in stored(place).items():
            if stream not in back and mark > before[stream]:
                back[stream] = time.monotonic() - since
        return len(back) == len(before)

    eventually(all_are, f"all {len(before)} agents to be back", 60)
    return list(back.values())


def p95(took):
    ordered = sorted(back_s for back_s, *_ in took)
    return ordered[-(-len(ordered) * 95 // 100) - 1]


def figures(took, told):
    names = sorted({name for _, name, _ in took})
    each = ", ".join(f"{name} {p95([t for t in took if t[1] == name]):.1f}" for name in names)
    return (
        f"{HEALS} heals x {AGENTS} agents: back after p50 {sorted(took)[len(took) // 2][0]:.1f}, "
        f"p95 {p95(took):.1f}, at most {max(took)[0]:.1f} s (p95 {each}); "
        f"{told} facts told, 0 lost, 0 doubled"
    )
