"""Functions as tasks: what masks the arguments of one is the same, however it is looked up."""

from __future__ import annotations

import functools

import pytest
from z4j_core import TaskDef
from z4j_core.agent.previews import OPTIONS, Shown
from z4j_core.config import load
from z4j_core.definitions import OPTIONS as SAID
from z4j_core.definitions import brief, definition


def plain(user_id, password="x", /, *rest, token, **more):
    """A task."""


def bare():
    """One without parameters."""


def told(secret_note):
    """One that says how it is shown."""


setattr(told, SAID, {"args": "none"})


@functools.wraps(plain)
def wrapped(*args, **kwargs):
    """One behind a decorator."""


@pytest.mark.parametrize("function", [plain, bare, told, wrapped, len, dict, None, str.upper])
def test_a_task_told_in_brief_has_the_names_and_options_of_the_whole(function):
    whole, short = definition("shop.task", function), brief("shop.task", function)

    assert [each.name for each in short.params] == [each.name for each in whole.params]
    assert (short.module, dict(short.options)) == (whole.module, dict(whole.options))


def test_looking_up_one_task_forgets_nothing_of_others(tmp_path):
    shown = Shown(load({}, environ={}, cwd=tmp_path).settings, lambda: None)
    shown.learn([TaskDef("shop.pay", "shop", options={OPTIONS: {"redact": ("note",)}})])

    shown.learn([TaskDef("shop.mail", "shop")])

    assert "open" not in shown.kwargs("shop.pay", {"note": "open"})[2]
    assert "open" in shown.kwargs("shop.mail", {"note": "open"})[2]


def test_a_task_that_takes_its_wish_back_is_shown_as_others_are(tmp_path):
    shown = Shown(load({}, environ={}, cwd=tmp_path).settings, lambda: None)
    shown.learn([TaskDef("shop.pay", "shop", options={OPTIONS: {"redact": ("note",)}})])

    shown.learn([TaskDef("shop.pay", "shop")])

    assert "open" in shown.kwargs("shop.pay", {"note": "open"})[2]


@pytest.mark.parametrize("look", [
    lambda shown: shown.kwargs("shop.pay", {"note": "open"}),
    lambda shown: shown.value("shop.pay", {"note": "open"}),
])  # fmt: skip
def test_a_task_nobody_looked_up_yet_is_shown_by_its_own_wish_from_the_first_word(look, tmp_path):
    asked = []

    def discover():
        asked.append(1)
        shown.learn([TaskDef("shop.pay", "shop", options={OPTIONS: {"redact": ("note",)}})])

    shown = Shown(load({}, environ={}, cwd=tmp_path).settings, discover)

    told = look(shown)

    assert "open" not in told[2]
    assert asked == [1]
