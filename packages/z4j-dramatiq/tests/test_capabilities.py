"""The published matrix and the code are the same list."""

import json
from pathlib import Path

import pytest
from z4j_core import Capability
from z4j_dramatiq import DramatiqEngine

FILE = Path(__file__).parents[3] / "spec" / "capabilities.json"
CELLS = json.loads(FILE.read_text())["dramatiq"]
IMPLEMENTED = {verb.value for verb in Capability if callable(getattr(DramatiqEngine, verb, None))}
IMPOSSIBLE = {"fetch": "broker", "terminate": "pool", "pool": "pool", "rate_limit": "broker"}


def test_three_cells_were_proved():
    assert sorted(CELLS) == ["rabbitmq-threads", "redis-gevent", "redis-threads"]


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_c17_each_verb_of_the_adapter_was_proved_or_says_why_not(cell):
    proved, unavailable = set(CELLS[cell]["proved"]), CELLS[cell]["unavailable"]

    assert proved | set(unavailable) == {verb.value for verb in Capability}
    assert not proved & set(unavailable)
    assert unavailable.items() >= IMPOSSIBLE.items()


def test_each_verb_was_proved_somewhere():
    assert set().union(*(cell["proved"] for cell in CELLS.values())) == IMPLEMENTED
