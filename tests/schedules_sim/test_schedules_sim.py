"""Worlds in which leaders die, stop, lose their store and are edited under, at any step."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from sched_mutants import MUTANTS
from sched_promises import Broken
from sched_world import World

SEEDS = 2_000
SOAK_SEEDS = 4_000
MUTANT_SEEDS = 2_000
STEPS = int(os.environ.get("Z4J_SIM_STEPS", "1000000"))
MET = ("edit", "kill", "crashes", "stops", "cut", "store", "broker", "night", "flush", "clock")


def lived(seeds):
    """Live through the worlds of these seeds; what happened in them, counted."""
    met = Counter()
    for seed in seeds:
        try:
            world = World(seed).live()
        except Broken as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        met.update(world.met)
        met["facts"] += len(world.facts)
        met["placed"] += len(world.placed)
        met["seeds"] += 1
    return met


def told(met):
    return ", ".join(f"{met[name]} {name}" for name in sorted(met))


@pytest.mark.timeout(900)
def test_no_world_doubles_a_slot_or_leaves_one_unexplained(record_property):
    met = lived(range(SEEDS))

    record_property("figures", told(met))
    assert met["placed"] > 10 * SEEDS
    assert min(met[name] for name in MET) > SEEDS // 20, "the worlds are too kind"


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(1, 9))
def test_no_world_of_thirty_thousand_doubles_a_slot_or_leaves_one_unexplained(
    part, record_property
):
    met = lived(range(part * SOAK_SEEDS, (part + 1) * SOAK_SEEDS))

    record_property("figures", told(met))
    assert met["placed"] > 10 * SOAK_SEEDS


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_a_million_steps_keep_every_promise(record_property):
    met, seed = Counter(), 1_000_000
    while met["steps"] < STEPS:
        met += lived(range(seed, seed + 50))
        seed += 50

    record_property("figures", told(met))
    assert met["steps"] >= STEPS


@pytest.mark.parametrize("seed", [11_132, 11_258, 17_496, 25_541, 28_133, 32_756])
def test_worlds_that_once_broke_a_promise_keep_it(seed):
    assert lived([seed])["placed"]


@pytest.mark.parametrize("seed", [7, 19, 42])
def test_a_seed_decides_everything(seed):
    first, again = World(seed).live(), World(seed).live()

    assert first.facts == again.facts
    assert first.placed == again.placed
    assert first.now_ms == again.now_ms


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_dies_by_the_promise_it_breaks(mutant, record_property):
    others = Counter()
    for seed in range(MUTANT_SEEDS):
        with pytest.MonkeyPatch.context() as patch:
            mutant(patch)
            try:
                World(seed).live()
            except Broken as error:
                if error.promise == mutant.promise:
                    record_property("figures", f"{mutant.__name__}: seed {seed}, {error}")
                    return
                others[error.promise] += 1
    pytest.fail(f"{MUTANT_SEEDS} seeds kept {mutant.promise!r}; broken were {dict(others)}")
