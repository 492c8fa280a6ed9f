"""Facts in hand: whole or not there, told by whoever adopts the stream."""

import mmap
import os

import pytest
from z4j_core.spool import hand as hands
from z4j_core.spool.hand import SLOT_BYTES, SLOTS, facts_of, open_hand


@pytest.fixture
def hand(tmp_path):
    found = open_hand(str(tmp_path))
    if found is None:
        pytest.skip("the file system of the temporary directory does not write in place")
    return found


def test_what_is_held_is_found_by_whoever_adopts_the_stream(hand, tmp_path):
    hand.hold(b"one")
    hand.hold(b"other")

    assert sorted(facts_of(str(tmp_path))) == [b"one", b"other"]


def test_what_is_dropped_is_gone_and_its_slot_is_free_again(hand, tmp_path):
    slots = [hand.hold(b"x%d" % n) for n in range(SLOTS)]
    assert hand.hold(b"one too many") is None

    hand.drop(slots[3])

    assert b"x3" not in facts_of(str(tmp_path))
    assert hand.hold(b"again") is not None
    assert len(facts_of(str(tmp_path))) == SLOTS


def test_a_fact_larger_than_a_slot_is_not_taken(hand, tmp_path):
    assert hand.hold(b"x" * SLOT_BYTES) is None
    assert facts_of(str(tmp_path)) == []


def test_a_fact_torn_by_a_power_cut_is_not_there(hand, tmp_path):
    hand.hold(b"whole")
    slot = hand.hold(b"torn by a power cut")
    path = tmp_path / hands.NAME
    data = bytearray(path.read_bytes())
    data[slot * SLOT_BYTES + 12] ^= 1
    path.write_bytes(data)

    assert facts_of(str(tmp_path)) == [b"whole"]


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100, b"\xff" * (SLOT_BYTES * 3)])
def test_a_damaged_page_holds_nothing(tmp_path, damage):
    (tmp_path / hands.NAME).write_bytes(damage)

    assert facts_of(str(tmp_path)) == []


def test_a_page_behind_a_link_is_neither_made_nor_read(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(bytes(SLOTS * SLOT_BYTES))
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / hands.NAME).symlink_to(elsewhere)

    assert open_hand(str(tmp_path / "s")) is None
    assert facts_of(str(tmp_path / "s")) == []


def test_there_is_no_page_where_a_store_may_need_room(tmp_path, monkeypatch):
    monkeypatch.setattr(hands, "filesystem_of", lambda _path: "btrfs")

    assert open_hand(str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_page_on_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(hands.os, "write", lambda fd, data: len(data) // 2)

    assert open_hand(str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_the_page_is_memory_of_the_file_not_of_the_process(hand, tmp_path):
    hand.hold(b"seen by another mapping")
    fd = os.open(tmp_path / hands.NAME, os.O_RDONLY)
    try:
        with mmap.mmap(fd, SLOTS * SLOT_BYTES, prot=mmap.PROT_READ) as other:
            assert other.find(b"seen by another mapping") >= 0
    finally:
        os.close(fd)


def test_an_adopter_that_fails_at_the_page_leaves_it_to_the_next_one(rig, monkeypatch):
    dead = rig.open()
    if dead.hand is None:
        pytest.skip("the file system of the temporary directory does not write in place")
    dead.hand.hold(b"\x91\x01")
    dead._own.release()
    failing, second = rig.open(), rig.open()

    def no_memory(_directory):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(hands, "facts_of", no_memory)
        with pytest.raises(MemoryError):
            failing.adopt()
    failing.scan()
    failing.close(offline=True)
    second.adopt()

    assert [body for one in second.scan() for body in one.read(0, 9, 9_000)] == [b"\x91\x01"]
