"""Lists of mutants: each fault can be planted, in the source as it is today."""

from __future__ import annotations

from pathlib import Path

import pytest
from z4j_testing.mutants import load

ROOT = Path(__file__).parents[2]
LISTS = sorted(ROOT.glob("packages/*/tests/mutants.py"))


@pytest.mark.parametrize("listed", LISTS, ids=lambda path: path.parts[-3])
def test_what_a_mutant_changes_stands_in_one_place(listed):
    module = load(listed)

    astray = [
        mutant.name
        for mutant in module.MUTANTS
        if (listed.parent / module.SOURCE / mutant.file)
        .read_text(encoding="utf-8")
        .count(mutant.old)
        != 1
    ]

    assert astray == []
