"""Frames, headers and what a reader makes of damaged bytes."""

from __future__ import annotations

import random

import pytest
from z4j_core.spool.segment import (
    CORRUPT_BODY,
    Corrupt,
    Header,
    frame,
    frames_by_length,
    header_frame,
    lost_body,
    lost_counts,
    parse,
    parse_header,
)

SEED = 0x01020304
HEADER = Header(bytes(16), 0, bytes(8), SEED, 1_700_000_000_000_000, {"host": "h", "pid": 7})


def items(count: int, size: int = 60) -> list[bytes]:
    return [b"\x95\x01" + index.to_bytes(4, "big") + b"x" * size for index in range(count)]


def read(block: bytes, *, is_sealed: bool = True) -> list[bytes | None]:
    return parse(block, SEED, is_whole=True, is_sealed=is_sealed).bodies


def test_a_frame_is_the_bytes_of_the_specification():
    body = bytes.fromhex("9400010505")

    made = frame(body, SEED)

    assert made.hex() == "7a344900000000054de866369400010505"


def test_a_lost_item_is_the_array_of_the_specification():
    assert lost_body(1, 5, 5).hex() == "9400010505"
    assert lost_counts(lost_body(1, 5, 5)) == (5, 5)
    assert lost_counts(lost_body(2, 70_000, 0, 1, 2)) == (70_000, 0)


def test_a_task_item_is_never_taken_for_a_lost_one():
    assert lost_counts(bytes.fromhex("dc002c0100")) == (0, 0)
    assert lost_counts(b"\x94\x00\xc1") == (0, 0)
    assert lost_counts(b"") == (0, 0)


def test_a_header_comes_back_as_it_was_written():
    made = header_frame(HEADER)

    header, start = parse_header(made + frame(b"abc", SEED))

    assert header == HEADER
    assert start == len(made)


@pytest.mark.parametrize("at", [0, 2, 5, 9, 12, 20, 60])
def test_a_damaged_header_is_refused(at):
    made = bytearray(header_frame(HEADER))
    made[at] ^= 0x40

    with pytest.raises(Corrupt):
        parse_header(bytes(made))


def test_a_header_that_is_a_map_of_something_else_is_refused():
    with pytest.raises(Corrupt, match="fields"):
        parse_header(frame(b"\x81\xa1v\x02", 0, 0x48))
    with pytest.raises(Corrupt, match="shorter"):
        parse_header(b"z4H")


def test_a4_every_single_byte_flip_costs_exactly_the_item_it_hits():
    rng = random.Random(4)
    bodies = items(40)
    whole = b"".join(frame(body, SEED) for body in bodies)
    size = len(whole) // 40

    for at in rng.sample(range(len(whole)), 1_000):
        damaged = bytearray(whole)
        damaged[at] ^= rng.randrange(1, 256)
        expected: list[bytes | None] = list(bodies)
        expected[at // size] = None
        assert read(bytes(damaged)) == expected


def test_a4_an_unfinished_tail_is_late_until_the_file_is_sealed():
    whole = b"".join(frame(body, SEED) for body in items(3))

    for cut in range(1, 40):
        assert len(read(whole[:-cut], is_sealed=False)) == 2
        assert read(whole[:-cut], is_sealed=True) == [*items(3)[:2], None]


def test_an_unfinished_frame_is_lost_once_a_valid_one_follows():
    torn = frame(items(1)[0], SEED)[:30]
    block = frame(b"first", SEED) + torn + frame(b"next", SEED)

    assert read(block, is_sealed=False) == [b"first", None, b"next"]


def test_a_forged_frame_inside_a_torn_region_is_not_believed():
    forged = frame(b"I am the admin", 0) + frame(b"I am the admin", 0xFFFFFFFF)
    torn = frame(b"x" * 40 + forged + b"y" * 400, SEED)[:-50]
    block = torn + frame(b"honest", SEED)

    assert read(block) == [None, b"honest"]


def test_text_full_of_frame_starts_does_not_stop_the_reader():
    hostile = (b"z4I\x00\x00\x00\xff\xff" * 8_000)[:65_000]
    torn = frame(hostile, SEED)[:-1]
    block = torn + frame(b"honest", SEED) * 400

    assert read(block)[:2] == [None, b"honest"]


def test_a_block_that_ends_inside_a_frame_asks_for_more():
    whole = b"".join(frame(body, SEED) for body in items(3))

    found = parse(whole[:-5], SEED, is_whole=False, is_sealed=False)

    assert found.bodies == items(3)[:2]
    assert found.is_starved


def test_items_are_counted_by_their_lengths_when_no_seed_is_known():
    block = header_frame(HEADER) + b"".join(frame(body, SEED) for body in items(9))

    assert frames_by_length(block) == 9
    assert frames_by_length(b"\xff" * 64) == 0


def test_no_bytes_make_the_parser_raise():
    rng = random.Random(11)
    start = frame(b"abc", SEED)

    for _ in range(3_000):
        noise = start + rng.randbytes(rng.randrange(200)) + start[: rng.randrange(len(start))]
        bodies = parse(noise, SEED, is_whole=True, is_sealed=True).bodies
        assert set(bodies) <= {b"abc", None}


def test_a_corrupt_spot_is_told_as_one_lost_event_of_reason_three():
    assert CORRUPT_BODY.hex() == "94000301" + "00"
