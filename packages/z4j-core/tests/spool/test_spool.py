"""One process: what was appended is read once, in order, at dense offsets, and then unlinked."""

from __future__ import annotations

import os
import shutil
import threading

import pytest
from z4j_core.spool import lost_body
from z4j_core.spool.segment import lost_counts
from z4j_testing.signals import eventually

from .conftest import drain, drain_segment

ROTATION = 1024 * 1024
BIG = b"\x95\x01" + b"x" * 60_000


def held_by(spool):
    """Number of the descriptor of the facts."""
    wanted = os.stat(os.path.join(spool.path, "e-00000001.seg"))
    for number in sorted(map(int, os.listdir("/proc/self/fd"))):
        try:
            if os.path.samestat(os.fstat(number), wanted):
                return number
        except OSError:
            continue
    raise AssertionError("no descriptor")


def files(spool, suffix):
    return sorted(name for name in os.listdir(spool.path) if name.endswith(suffix))


def test_items_come_back_in_order_and_only_until_they_are_acknowledged(rig):
    spool = rig.open()
    bodies = [b"\x91\x01" + bytes([n]) for n in range(200)]
    for body in bodies:
        assert spool.writer.append(body)

    assert drain(spool, ack=False) == bodies
    (segment,) = spool.scan()
    assert segment.read(0, 3, 10_000) == bodies[:3]
    assert segment.last == 3
    assert segment.read(150, 500, 10_000) == bodies[150:]
    assert segment.read(200, 500, 10_000) == []


def test_a_batch_is_bounded_by_bytes_but_never_empty(rig):
    spool = rig.open()
    for _ in range(4):
        spool.writer.append(BIG)

    (segment,) = spool.scan()

    assert len(segment.read(0, 500, 10)) == 1
    assert len(segment.read(0, 500, 130_000)) == 2


def test_answers_are_sent_before_a_backlog_of_facts(rig):
    spool = rig.open()
    for _ in range(40):
        spool.writer.append(BIG)
    spool.writer.append_control(b"\x91\x03")

    segments = spool.scan()

    assert [segment.cls for segment in segments] == [1, 0, 0, 0]
    assert segments[0].read(0, 10, 1_000) == [b"\x91\x03"]


def test_a_full_segment_is_sealed_read_to_its_end_acknowledged_and_then_unlinked(rig):
    spool = rig.open()
    for _ in range(20):
        spool.writer.append(BIG)

    first, second = spool.scan()

    assert len(files(spool, ".done")) == 1
    assert not first.finished
    drain_segment(first)
    assert first.finished
    assert files(spool, ".done") == []
    drain_segment(second)
    assert not second.finished


def test_a_segment_that_was_only_partly_acknowledged_stays(rig):
    spool = rig.open()
    for _ in range(20):
        spool.writer.append(BIG)

    first, _ = spool.scan()
    first.ack(5)

    assert not first.finished
    assert len(drain_segment(first)) == 13


def test_a_resumed_reader_finds_any_offset_by_scanning_one_segment(rig):
    spool = rig.open()
    bodies = [b"\x91\x01" + n.to_bytes(3, "big") for n in range(2_000)]
    for body in bodies:
        spool.writer.append(body)

    (segment,) = spool.scan()

    for after in (0, 1_999, 1, 1_000, 255, 256, 257, 512, 1_998):
        assert segment.read(after, 1, 1_000) == [bodies[after]]


def test_growth_of_a_known_file_is_no_reason_to_list_them_all(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    eventually(lambda: spool.scan() and not spool.changed(), "a listing in a later tick")

    spool.writer.append(b"\x91\x01")

    assert spool.grew()
    assert not spool.changed()
    spool.writer.append_control(b"\x91\x02")
    assert spool.changed()


def test_the_sender_hears_of_growth(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    drain(spool)
    drain(spool)
    assert not spool.grew()

    spool.writer.append(b"\x91\x01")

    assert spool.grew()
    drain(spool)
    assert not spool.grew()


def test_the_meta_of_a_segment_is_that_of_its_owner(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")

    (segment,) = spool.scan()

    assert segment.stream == spool.stream
    assert segment.epoch == 1
    assert segment.meta["host"] == "h"
    assert segment.meta["t"] > 1_600_000_000_000_000
    assert len(segment.segment_id) == 8


def test_threads_share_a_writer_over_rotations_without_losing_or_tearing(rig):
    spool = rig.open()

    def write(thread):
        for n in range(150):
            spool.writer.append(b"\x94\x01" + bytes([thread, n]) + b"x" * 10_000)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    found = drain(spool)
    assert len(found) == 900
    assert len({body[2:4] for body in found}) == 900
    assert spool.writer.counters.written == 900


def test_a_segment_that_was_left_is_closed_by_its_last_user(rig):
    spool = rig.open()
    first = held_by(spool) if spool.writer.append(b"\x91\x01") else -1

    for _ in range(40):
        spool.writer.append(BIG)

    with pytest.raises(AssertionError, match="no descriptor"):
        held_by(spool)
    assert first > 2


def test_a_reused_descriptor_number_is_neither_written_to_nor_closed(rig, tmp_path):
    spool = rig.open()
    for _ in range(3):
        spool.writer.append(b"\x91\x01")
    number = held_by(spool)
    other = os.open(tmp_path / "theirs", os.O_RDWR | os.O_CREAT)
    os.dup2(other, number)

    for _ in range(40):
        assert spool.writer.append(b"\x91\x01")

    assert os.fstat(number).st_size == 0
    os.close(number)
    os.close(other)
    assert len(drain(spool)) == 43


def test_closed_descriptors_cost_nothing(rig):
    spool = rig.open()
    for _ in range(3):
        spool.writer.append(b"\x91\x01")
    os.close(held_by(spool))

    assert spool.writer.append(b"\x91\x01")

    assert len(drain(spool)) == 4
    assert spool.writer.counters.reopened == 2


def test_a_writer_whose_directory_is_gone_drops_and_counts_instead_of_filling_the_disk(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    shutil.rmtree(spool.path)

    kept = [spool.writer.append(b"\x91\x01" + b"x" * 3_000) for _ in range(1_000)]

    assert sum(kept) <= 32
    assert not any(kept[32:])
    assert spool.writer.counters.dropped == 1_000 - sum(kept)


def test_a_segment_stops_growing_when_no_next_one_can_be_made(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    parent = os.path.dirname(spool.path)
    for number in range(2, 200):
        os.symlink("/nowhere", os.path.join(spool.path, f"e-{number:08x}.seg"))

    kept = sum(spool.writer.append(BIG) for _ in range(100))

    assert kept < 40
    assert os.path.getsize(os.path.join(spool.path, "e-00000001.seg")) < 2.2 * ROTATION
    assert os.listdir(parent) == [spool.stream.hex()]


def test_advice_to_shed_is_one_byte_for_all(rig, in_child):
    spool = rig.open()
    spool.advise(2)
    read_end, write_end = os.pipe()

    in_child(lambda: os.write(write_end, bytes([spool.writer.shed])))

    assert os.read(read_end, 1) == b"\x02"
    os.close(read_end)
    os.close(write_end)


def test_a4_a_damaged_file_loses_what_was_hit_and_counts_it(rig):
    spool = rig.open()
    bodies = [b"\x91\x01" + n.to_bytes(3, "big") for n in range(100)]
    for body in bodies:
        spool.writer.append(body)
    (segment,) = spool.scan()
    with open(segment.path, "r+b") as file:
        at = file.read().index(bodies[50])
        file.seek(at)
        file.write(b"\xff")

    found = drain_segment(segment)

    assert found == [*bodies[:50], lost_body(3, 1), *bodies[51:]]
    assert segment.last == 100
    assert spool.usage().lost == 1


def test_a_file_without_a_readable_header_is_counted_not_skipped(rig):
    spool = rig.open()
    for _ in range(30):
        spool.writer.append(BIG)
    with open(os.path.join(spool.path, "e-00000001.seg"), "r+b") as file:
        file.write(b"\xff\xff")

    found = drain(spool) + drain(spool)

    assert sum(lost_counts(body)[0] for body in found) == 18
    assert len(files(spool, ".bad")) == 1
    assert found.count(BIG) == 12


def test_nothing_is_left_of_a_stream_that_was_stored_whole(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    drain(spool)

    spool.close(offline=True)

    assert not os.path.exists(spool.path)


def test_syncing_and_measuring_do_not_change_what_is_read(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    spool.scan()

    spool.sync()
    usage = spool.usage()

    assert usage.segments == 1
    assert usage.bytes > 20
    assert usage.oldest_age_s >= 0
    assert drain(spool) == [b"\x91\x01"]


def test_a_segment_made_within_the_same_tick_as_a_scan_is_still_met(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    spool.scan()
    before = os.stat(spool.path).st_mtime_ns
    spool.writer.append_control(b"\x91\x02")
    os.utime(spool.path, ns=(before, before))

    assert spool.grew()

    assert len(spool.scan()) == 2
