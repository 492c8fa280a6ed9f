"""The specification in the repository says what the code does, and numbers are only ever added."""

import copy
import importlib.util
import json
from pathlib import Path

import pytest

SPEC = Path(__file__).resolve().parents[4] / "spec"


@pytest.fixture(scope="module")
def generator():
    found = importlib.util.spec_from_file_location("wire_tables", SPEC / "wire_tables.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_code(generator):
    text = (SPEC / "wire.md").read_text(encoding="utf-8")

    assert generator.filled(text) == text
    for name in generator.tables():
        assert f"<!-- table: {name} -->" in text


def test_the_numbers_are_those_of_the_code(generator):
    assert (SPEC / "wire.json").read_text(encoding="utf-8") == generator.as_json()


@pytest.fixture
def published():
    return json.loads((SPEC / "wire.json").read_text(encoding="utf-8"))


def test_what_is_added_at_the_end_is_no_change(generator, published):
    grown = copy.deepcopy(published)
    grown["rows"]["TASK"].append(["later", "u8?"])
    grown["maps"]["REGISTER"]["later"] = "u8?"
    grown["enums"]["Tag"]["LATER"] = 99
    grown["records"]["LATER"] = [99, "both"]

    assert generator.withdrawn(published, grown) == []


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("rows.TASK", lambda now: now["rows"]["TASK"].insert(3, ["new", "u8"])),
        ("rows.TASK", lambda now: now["rows"]["TASK"].pop()),
        ("rows.Preview", lambda now: now["rows"]["Preview"].reverse()),
        ("maps.WELCOME", lambda now: now["maps"]["WELCOME"].pop("hb_ms")),
        ("enums.Tag", lambda now: now["enums"]["Tag"].update(TASK=9)),
        ("records.ACK", lambda now: now["records"].update(ACK=[5, "A→B"])),
        ("limits.MAX_DEPTH", lambda now: now["limits"].update(MAX_DEPTH=8)),
        ("Gap", lambda now: now["faults"].remove("Gap")),
    ],
)
def test_what_was_published_may_not_move_or_vanish(generator, published, place, change):
    changed = copy.deepcopy(published)
    change(changed)

    assert generator.withdrawn(published, changed) == [place]
