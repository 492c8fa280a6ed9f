"""The published matrix and the code are the same list."""

import json
from pathlib import Path

from z4j_arq import ArqEngine
from z4j_core import Capability

FILE = Path(__file__).parents[3] / "spec" / "capabilities.json"
CELLS = json.loads(FILE.read_text())["arq"]
IMPLEMENTED = {verb.value for verb in Capability if callable(getattr(ArqEngine, verb, None))}


def test_one_cell_was_proved():
    assert list(CELLS) == ["redis"]


def test_each_verb_of_the_adapter_was_proved():
    assert set(CELLS["redis"]["proved"]) == IMPLEMENTED


def test_c17_each_other_verb_says_why_not():
    assert set(CELLS["redis"]["unavailable"]) == {verb.value for verb in Capability} - IMPLEMENTED
