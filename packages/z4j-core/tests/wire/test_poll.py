"""Records in requests: what a body carries, and who may ask for one."""

from __future__ import annotations

import pytest
from z4j_core.errors import WireError
from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Abort, Beat, SpoolState
from z4j_core.wire.codes import MAX_MESSAGE_BYTES
from z4j_core.wire.poll import MAX_BATCH_BYTES, POLL_BYTES, join, prove, proven, split
from z4j_testing.wire import Pair, flipped

RECORDS = [b"r" * 44, b"s" * 100, b"t" * MAX_MESSAGE_BYTES]
BEAT = Beat(1, 99, 0, SpoolState(0, 0, 0, 0), None, None, None, None, None, 1, 2, ())


def test_what_was_joined_is_split_again():
    assert split(join(RECORDS)) == RECORDS
    assert split(b"") == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\0\0\0", "Malformed"),
        (join(RECORDS[:2])[:-1], "Malformed"),
        (b"\0\0\0\x2b" + b"r" * 43, "Size"),
        (b"\xff\xff\xff\xff" + b"r" * 44, "Size"),
        (join([b"r" * (MAX_MESSAGE_BYTES + 1)]), "Size"),
        (join([b"r" * 250_000] * 5), "Size"),
    ],
)
def test_w22_a_body_whose_lengths_do_not_add_up_is_refused(body, kind):
    with pytest.raises(WireError) as refused:
        split(body)

    assert refused.value.kind == kind


def test_a_body_of_the_greatest_size_is_read():
    rest = MAX_BATCH_BYTES - 3 * (4 + MAX_MESSAGE_BYTES) - 4

    assert len(split(join([RECORDS[2]] * 3 + [b"u" * rest]))) == 4


def test_both_sides_of_a_session_agree_on_the_key_of_its_polls():
    pair, other = Pair(), Pair(salt=1)

    assert proven(pair.brain.poll_key, prove(pair.agent.poll_key, 7)) == 7
    assert other.brain.poll_key != pair.brain.poll_key


@pytest.mark.parametrize("bit", range(0, POLL_BYTES * 8, 7))
def test_w2_a_poll_of_which_a_bit_is_changed_is_a_stranger_s(bit):
    key = Pair().brain.poll_key

    with pytest.raises(WireError) as refused:
        proven(key, flipped(prove(key, 1), bit))

    assert refused.value.kind == "Mac"


@pytest.mark.parametrize("body", [b"", b"x" * (POLL_BYTES - 1), b"x" * (POLL_BYTES + 1)])
def test_a_poll_of_another_size_is_none(body):
    with pytest.raises(WireError) as refused:
        proven(bytes(32), body)

    assert refused.value.kind == "Size"


def test_a_poll_is_never_a_record_and_a_record_never_a_poll():
    pair = Pair()

    poll = prove(pair.agent.poll_key, 1)

    assert not pair.brain.expects(poll + bytes(4))
    assert not pair.brain.expects(pair.brain.send(RecordType.ABORT, Abort(b"c" * 16, "")))
    assert pair.brain.expects(pair.agent.send(RecordType.BEAT, BEAT))


def test_w7_asking_what_comes_next_changes_nothing():
    pair = Pair()
    record = pair.agent.send(RecordType.BEAT, BEAT)

    answers = [pair.brain.expects(flipped(record, 400)), *[pair.brain.expects(record)] * 2]
    pair.brain.receive(record, 0.0)

    assert answers == [False, True, True]
    assert not pair.brain.expects(record)
