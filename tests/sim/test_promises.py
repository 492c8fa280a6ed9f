"""Worlds in which anything dies at any step: stored + reported lost = produced, each once."""

import logging

import pytest
from sim_world import live

SEEDS = 250
SOAK_SEEDS = 2_000


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("z4j.ingest").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("z4j.ingest").setLevel(logging.NOTSET)


def lived(seeds, steps=120):
    """Live through the worlds of these seeds; how many facts they produced."""
    facts = 0
    for seed in seeds:
        with pytest.MonkeyPatch.context() as patch:
            try:
                facts += live(seed, patch, steps)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error
    return facts


def test_no_world_loses_doubles_or_invents_a_fact(record_property):
    facts = lived(range(SEEDS))

    record_property("figures", f"{SEEDS} seeds, {facts} facts")
    assert facts > 50 * SEEDS


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(1, 11))
def test_no_world_of_twenty_thousand_loses_doubles_or_invents_a_fact(part, record_property):
    first = part * SOAK_SEEDS

    facts = lived(range(first, first + SOAK_SEEDS), steps=150)

    record_property("figures", f"{SOAK_SEEDS} seeds, {facts} facts")
    assert facts > 50 * SOAK_SEEDS


def test_a_seed_decides_how_many_facts_a_world_has():
    assert lived([7]) == lived([7])
