"""Worlds in which anything dies at any step: stored + reported lost = produced, each once."""

import logging
from collections import Counter

import pytest
from sim_life import live
from sim_promises import Broken
from sim_world import World, fact

SEEDS = 250
SOAK_SEEDS = 2_000


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("z4j.ingest").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("z4j.ingest").setLevel(logging.NOTSET)


def lived(seeds, steps=120):
    """Live through the worlds of these seeds; what happened in them, counted."""
    met = Counter()
    for seed in seeds:
        with pytest.MonkeyPatch.context() as patch:
            try:
                world = live(seed, patch, steps)
            except Broken as error:
                raise AssertionError(f"seed {seed}: {error}") from error
        met.update(world.books.met)
        met["facts"] += len(world.books.produced)
        met["torn writes"] += world.disk.torn
        met["written once more by an adopter"] += world.books.again.total()
    return met


def told(seeds, met):
    return f"{seeds} seeds, " + ", ".join(f"{met[name]} {name}" for name in sorted(met))


@pytest.mark.timeout(900)
def test_no_world_loses_doubles_or_invents_a_fact(record_property):
    met = lived(range(SEEDS))

    record_property("figures", told(SEEDS, met))
    assert met["facts"] > 50 * SEEDS
    assert min(met.values()) > SEEDS // 25, "the worlds are too kind"


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(1, 11))
def test_no_world_of_twenty_thousand_loses_doubles_or_invents_a_fact(part, record_property):
    first = part * SOAK_SEEDS

    met = lived(range(first, first + SOAK_SEEDS), steps=150)

    record_property("figures", told(SOAK_SEEDS, met))
    assert met["facts"] > 50 * SOAK_SEEDS


def trace(seed):
    """All that a brain has in the end of a world."""
    with pytest.MonkeyPatch.context() as patch:
        world = live(seed, patch)
        return world.store.marks(), world.store.told(), sorted(world.books.produced), world.clock


@pytest.mark.parametrize("seed", [7, 19, 42])
def test_a_seed_decides_everything(seed):
    first, again = trace(seed), trace(seed)

    assert first[:3] == again[:3]
    assert first[3].wall_us() == again[3].wall_us()


def test_a_thread_that_writes_does_not_look_meanwhile(monkeypatch):
    world, looks = World(1, monkeypatch), []
    (agent,) = world.alive()
    agent.connect(world.brain)
    agent.step()
    monkeypatch.setattr(agent.sender, "step", lambda: looks.append(agent.is_at_work))
    world.disk.halves = 1.0

    agent.record(fact(1, 3))
    agent.settle_all()
    while_it_writes = list(looks)
    agent.spool.writer.append(fact(2, 3))
    world.close()

    assert while_it_writes == []
    assert looks, "a hook in another thread is seen half done"
