"""Words of brains of other versions. The rule: what is known counts, the rest is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from z4j_core.errors import WireError
from z4j_core.wire import CloseCode, RecordType
from z4j_core.wire.frames import unpack_body
from z4j_testing.spoken import critical, grown, of, sealed, spoken
from z4j_testing.wire import REGISTER, Pair

RELEASED = sorted(Path(__file__).parents[4].glob("spec/spoken/*.json"))
LEAST = {"WELCOME", "ACK", "PONG", "COMMAND", "ABORT", "FLOW", "WANT", "SCHEDULES", "LEASED"}


def said(file):
    """What the brain of a version said, WELCOME first."""
    words = list(of(spoken(file), "brain"))
    assert {RecordType(word.type).name for word in words} >= LEAST
    return words


@pytest.fixture
def pair():
    made = Pair(opened=False)
    made.shake()
    made.carry(RecordType.REGISTER, REGISTER)
    return made


def hears(pair, word, flags=0):
    return pair.agent.receive(sealed(pair.brain, word, flags), pair.now)


def test_w32_there_are_words_of_a_released_version():
    assert RELEASED


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_w32_all_that_a_brain_of_a_released_version_says_is_understood(pair, file):
    heard = [hears(pair, word) for word in said(file)]

    assert all(one.body is not None for one in heard)


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_w32_what_a_brain_of_the_next_version_adds_changes_nothing_of_what_it_says(pair, file):
    words = [word for word in said(file) if word.type != RecordType.CLOSE]
    (welcome, *_), *rest = map(grown, words)

    heard = [hears(pair, word) for word in (welcome, *(one for more in rest for one in more))]

    known = [one.body for one in heard if one.body is not None]
    assert known == [unpack_body(word.type, word.body) for word in words]
    assert len(heard) - len(known) == len(words) - 1


def test_w32_an_agent_ends_a_session_whose_brain_insists_on_what_it_does_not_know():
    pair = Pair()

    with pytest.raises(WireError) as raised:
        hears(pair, *critical("brain"))

    assert raised.value.close_code == CloseCode.VERSION
