"""Every code is explained once, and the published list is the one in the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from z4j_core.cli.explain import main
from z4j_core.config.codes import codes, find, render

ROOT = Path(__file__).parents[4]
NUMBERED = re.compile(r"Z4J-E\d{3}")
NAMED = re.compile(r"[a-z_]+(?:\.[a-z_]+)?")
CARRIERS = {"Problem", "NotFound", "Forbidden", "Conflict", "Invalid", "Refused", "ConfigError",
            "Away", "Failure"}  # fmt: skip


def test_the_published_list_is_the_one_in_the_code():
    assert (ROOT / "spec/errors.md").read_text(encoding="utf-8") == render()


@pytest.fixture(scope="module")
def sources():
    """Every source file as a syntax tree."""
    found = [*ROOT.glob("packages/*/src/**/*.py")]
    assert len(found) > 200
    return [ast.parse(path.read_text(encoding="utf-8")) for path in found]


def texts(sources):
    """Every text in the code that is a code by its form, or holds one with a number."""
    nodes = (node for tree in sources for node in ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from NUMBERED.findall(node.value)
            if NAMED.fullmatch(node.value):
                yield node.value


def answered(sources):
    """First arguments of the errors that carry a code."""
    nodes = (node for tree in sources for node in ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name in CARRIERS and isinstance(first, ast.Constant):
                yield first.value


def test_every_code_that_is_raised_is_explained(sources):
    numbered = {text for text in texts(sources) if NUMBERED.fullmatch(text)}
    raised = set(answered(sources))

    assert len(numbered) > 20
    assert len(raised) > 30
    assert numbered | raised <= set(codes())


def test_every_code_that_is_explained_is_used(sources):
    assert set(codes()) - set(texts(sources)) == set()


def test_a_code_is_found_as_people_type_it():
    assert find("e110") is find("Z4J-E110") is codes()["Z4J-E110"]
    assert find("policy.level") is codes()["policy.level"]
    assert find("E999") is None


def test_explain_prints_cause_and_cure(capsys):
    assert main(["E110"]) == 0
    assert "key not proven" in capsys.readouterr().out


def test_explain_names_near_codes_for_an_unknown_one(capsys):
    assert main(["policy.levels"]) == 2
    assert "policy.level" in capsys.readouterr().err
