"""The local policy: levels, globs, changes, and what happens in doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.agent.policy import PolicyError, matches, parse_policy
from z4j_core.model.commands import LEVEL_OF_VERB, Level

EXAMPLE = "control,shop.reports.*=run,billing.*=observe,mail.*=control+terminate"


def permits(text, verb, task=None):
    return parse_policy(text).decide(verb, task).allowed


@pytest.mark.parametrize("level", Level)
def test_a_level_permits_its_verbs_and_those_below(level):
    for verb, needed in LEVEL_OF_VERB.items():
        assert permits(level.name.lower(), verb) == (needed <= level)


@pytest.mark.parametrize(
    ("verb", "task", "allowed"),
    [
        ("retry", "shop.charge", True),
        ("enqueue", "shop.charge", False),
        ("enqueue", "shop.reports.daily", True),
        ("retry", "billing.invoice", False),
        ("terminate", "mail.send", True),
        ("terminate", "shop.charge", False),
        ("purge", None, False),
    ],
)
def test_c7_the_last_matching_rule_decides_and_else_the_base(verb, task, allowed):
    assert permits(EXAMPLE, verb, task) is allowed


def test_c7_of_two_matching_rules_the_last_one_holds():
    assert permits("run,a.*=observe,a.b=all", "terminate", "a.b")
    assert not permits("run,a.b=all,a.*=observe", "terminate", "a.b")


def test_a_verb_can_be_taken_away():
    assert not permits("all-purge", "purge")
    assert permits("all-purge", "terminate")


def test_the_text_of_the_deciding_rule_is_told():
    assert parse_policy(EXAMPLE).decide("retry", "billing.x").rule == "billing.*=observe"


def test_a_task_nobody_can_name_gets_the_strictest_rule():
    assert not parse_policy(EXAMPLE).decide_unknown("retry").allowed
    assert parse_policy("run,a.*=all").decide_unknown("retry").allowed


def test_without_a_base_nothing_but_looking_is_permitted():
    assert not permits("a.*=all", "retry", "b.c")


def test_c6_a_verb_nobody_knows_is_refused_at_every_level():
    assert not permits("all", "fly")
    assert not parse_policy("all").decide_unknown("fly").allowed


@pytest.mark.parametrize(
    "text", ["", "everything", "run+fly", "run+", "a b=run", "=run", "x" * 129 + "=run", "run,,all"]
)
def test_c6_what_is_no_policy_is_refused(text):
    with pytest.raises(PolicyError):
        parse_policy(text)


def test_c7_a_dot_is_a_dot_and_case_matters():
    assert not matches("a.b", "axb")
    assert not matches("A*", "abc")
    assert matches("a.?", "a.b")


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_globs_agree_with_a_plain_recursive_definition(glob, name):
    assert matches(glob, name) == plainly(glob, name)


def plainly(glob, name):
    if not glob:
        return not name
    if glob[0] == "*":
        return plainly(glob[1:], name) or (bool(name) and plainly(glob, name[1:]))
    return bool(name) and glob[0] in ("?", name[0]) and plainly(glob[1:], name[1:])
