"""The published matrix and the code are the same list."""

import json
from pathlib import Path

import pytest
from z4j_core import Capability
from z4j_taskiq import TaskiqEngine

FILE = Path(__file__).parents[3] / "spec" / "capabilities.json"
CELLS = json.loads(FILE.read_text())["taskiq"]
EVERY = {verb.value for verb in Capability}
IMPLEMENTED = {verb.value for verb in Capability if callable(getattr(TaskiqEngine, verb, None))}


def test_four_cells_were_proved():
    assert sorted(CELLS) == ["nats", "rabbitmq", "redis-list", "redis-stream"]


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_c17_each_verb_of_the_adapter_was_proved_or_says_why_not(cell):
    proved, unavailable = set(CELLS[cell]["proved"]), set(CELLS[cell]["unavailable"])

    assert proved | unavailable == EVERY
    assert not proved & unavailable


def test_each_verb_was_proved_somewhere():
    assert set().union(*(cell["proved"] for cell in CELLS.values())) == IMPLEMENTED
