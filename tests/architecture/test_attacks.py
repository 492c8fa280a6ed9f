"""The register of named attacks. The rule: each id is a test or says why not yet, never both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERIES = {"w": 36, "c": 19, "a": 17}
IDS = [f"{letter}{n}" for letter, last in SERIES.items() for n in range(1, last + 1)]
NOT_YET = {
    "c18": "the audit record has no sealer yet that could be stopped",
}
"""What the product or its tests cannot show yet; a row leaves with the test that shows it."""

PARTLY: set[str] = set()
"""Rows of NOT_YET that have tests for what they name as tested."""

BESIDE = {
    "forged frame in a torn region": "a_forged_frame_inside_a_torn_region_is_not_believed",
    "reused descriptor number": "a_reused_descriptor_number_is_neither_written_to_nor_closed",
    "cloned VM": "a_superseded_agent_goes_on_with_a_new_stream",
    "copied spool directory": "a_copied_spool_has_the_same_names_for_the_same_items",
    "child outliving its owner": "a_child_that_outlives_its_owner_is_read_to_its_last_fact",
}
"""Attacks without an id."""

TEST = re.compile(r"^ *(?:async )?def test_(\w+)", re.MULTILINE)
LEADING = re.compile(r"(?:[a-z]\d+_)+")


def named() -> set[str]:
    """Every test of the repository, without its `test_`."""
    files = [
        path
        for top in ("packages", "tests")
        for path in (ROOT / top).rglob("*.py")
        if "tests" in path.parts or "z4j_testing" in path.parts
    ]
    return {name for path in files for name in TEST.findall(path.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def tests() -> set[str]:
    found = named()
    assert len(found) > 500, "the register looked at almost nothing"
    return found


@pytest.fixture(scope="module")
def tested(tests: set[str]) -> set[str]:
    """Ids that lead the name of a test."""
    leads = (LEADING.match(name) for name in tests)
    return {one for lead in leads if lead for one in lead[0].rstrip("_").split("_")}


@pytest.mark.parametrize("attack", IDS)
def test_an_attack_is_a_test_or_says_why_not_yet(tested: set[str], attack: str) -> None:
    if attack in PARTLY:
        assert attack in tested
        assert attack in NOT_YET
    else:
        assert (attack in tested) != (attack in NOT_YET)


def test_no_reason_stands_for_an_attack_that_does_not_exist() -> None:
    assert set(NOT_YET) | PARTLY <= set(IDS)


@pytest.mark.parametrize("attack", BESIDE)
def test_an_attack_without_an_id_is_a_test(tests: set[str], attack: str) -> None:
    assert BESIDE[attack] in tests
