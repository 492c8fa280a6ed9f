"""Every reason with which an engine leaves a verb out is a sentence where the verb would be."""

import json
from pathlib import Path

import pytest
from z4j_brain.agents.offers import REASONS, Offer, can

FILE = Path(__file__).parents[4] / "spec" / "capabilities.json"
GAPS = sorted({
    (engine, verb, reason)
    for engine, cells in json.loads(FILE.read_text(encoding="utf-8")).items()
    for cell in cells.values()
    for verb, reason in cell["unavailable"].items()
})  # fmt: skip


def test_all_six_engines_leave_something_out():
    assert len({engine for engine, _, _ in GAPS}) == 6


@pytest.mark.parametrize(("engine", "verb", "reason"), GAPS)
def test_a_verb_that_is_left_out_has_its_sentence(engine, verb, reason):
    told = can(Offer(engine, "app", unavailable={verb: reason}), verb)

    assert (told.ok, told.code) == (False, "engine.unsupported")
    assert told.why == REASONS[reason]
