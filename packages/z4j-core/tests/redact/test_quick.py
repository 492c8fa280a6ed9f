"""What is shown of plain values, with and without a walk."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from z4j_core.redact import Redactor, quick
from z4j_core.redact.keys import Verdicts

SECRETS = st.sampled_from([
    "hunter2 password=hunter2", "4111 1111 1111 1111", "4111111111111111", "Bearer abcdef123456",
    "https://user:pass@host/x", "AKIAABCDEFGHIJKLMNOP", "DE89370400440532013000", "--token abc",
    "4b1f6f2e-2f0c-4d0f-9d55-000000000001", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    'a "quoted" \\ text\n', "é", "\udc80", "x" * 700,
])  # fmt: skip
NAMES = st.sampled_from([
    "password", "token", "name", "key", "value", "id", "api_key", "tokens_used", "a" * 40, "Ü",
    "order", "Authorization", 'q"',
])  # fmt: skip
NUMBERS = st.one_of(st.integers(), st.sampled_from([4111111111111111, 10**12, -(10**12), 10**4000]))
LEAVES = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.floats(), st.text(max_size=40), SECRETS, NAMES,
    st.binary(max_size=4),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=15),
        st.tuples(NAMES, inner),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.one_of(NAMES, st.text(max_size=14), st.integers()), inner, max_size=6),
    ),
    max_leaves=25,
)
PARAMS = st.lists(NAMES, max_size=4)


def _walked(show: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a walk alone says."""
    with monkeypatch.context() as patched:
        patched.setattr("z4j_core.redact.plain", lambda *_: None)
        patched.setattr("z4j_core.redact.plain_args", lambda *_: None)
        return show()


@pytest.fixture(scope="module")
def patching() -> Any:
    with pytest.MonkeyPatch.context() as patched:
        yield patched


@given(value=VALUES)
def test_a_value_is_shown_as_a_walk_shows_it(value: Any, patching: Any) -> None:
    redactor = Redactor(redact=("order*",), unredact=("api_key",))

    shown = redactor.preview_value(value)

    assert shown == _walked(lambda: redactor.preview_value(value), patching)


@given(args=st.lists(VALUES, max_size=5), params=PARAMS)
def test_arguments_are_shown_as_a_walk_shows_them(args: Any, params: Any, patching: Any) -> None:
    redactor = Redactor()

    shown = redactor.preview_args(args, params)

    assert shown == _walked(lambda: redactor.preview_args(args, params), patching)


@given(kwargs=st.dictionaries(NAMES, VALUES, max_size=6))
def test_keyword_arguments_are_shown_as_a_walk_shows_them(kwargs: Any, patching: Any) -> None:
    redactor = Redactor()

    shown = redactor.preview_kwargs(kwargs)

    assert shown == _walked(lambda: redactor.preview_kwargs(kwargs), patching)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((911, "order-1", {"amount": 30}), '[911,"order-1",{"amount":30}]'),
        ({"to": "EUR", "retry": True, "rate": 1.5}, '{"to":"EUR","retry":true,"rate":1.5}'),
    ],
)
def test_what_most_tasks_have_needs_no_walk(value: Any, text: str) -> None:
    assert quick.plain(value, Verdicts()) == text


@pytest.mark.parametrize(
    "value",
    [
        {"password": "x"},
        ["password", "x"],
        "password=x",
        4111111111111111,
        {"name": "password", "value": "x"},
        b"x",
    ],
)
def test_at_the_first_doubt_the_walk_is_asked(value: Any) -> None:
    assert quick.plain(value, Verdicts()) is None
