"""The query language says of each case of spec/query what the case says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from z4j_brain.search import KEYS, QueryError, as_json, parse, terms
from z4j_brain.search.globs import glob_matches

CASES = json.loads((Path(__file__).parents[4] / "spec" / "query" / "cases.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:40])
def test_a_text_means_its_tree_or_is_refused_at_its_column(case):
    try:
        found = {"tree": as_json(parse(case["text"]))}
    except QueryError as error:
        found = {"code": error.code, "column": error.column}
        if error.hint:
            found["hint"] = error.hint

    assert found == {name: value for name, value in case.items() if name != "text"}


def test_the_cases_cover_every_key_and_every_code():
    trees = [parse(case["text"]) for case in CASES if "tree" in case]
    keys = {term.key for tree in trees for term in terms(tree) if hasattr(term, "key")}
    codes = {case["code"] for case in CASES if "code" in case}

    assert len(CASES) >= 150
    assert keys == set(KEYS)
    assert codes == {
        "query.unknown_key", "query.syntax", "query.short_text", "query.limit",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("shop.*", "shop.charge", True), ("shop.*", "shop_evil.x", False), ("*", "", True),
        ("a*a", "a", False), ("a*a", "aa", True), ("*b*d*", "abcde", True), ("a*b*c", "acb", False),
        ("Shop", "shop", False), ("", "", True), ("x[*", "x[1]", True), ("a*bc*bc", "abcbc", True),
        ("a*bc*bc", "abc", False),
    ],
)  # fmt: skip
def test_a_glob_knows_the_star_and_nothing_else(pattern, text, fits):
    assert glob_matches(pattern, text) is fits


def test_h14_a_glob_of_many_stars_ends_at_once():
    assert not glob_matches("*a" * 60 + "b", "a" * 20_000)
