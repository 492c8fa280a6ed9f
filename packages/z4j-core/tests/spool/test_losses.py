"""What could not be kept: it is counted, told, and the newest answers go on."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest
from z4j_core.spool import attach_child, files, lost_body
from z4j_core.spool.segment import lost_counts

from .conftest import drain

ROTATION = 1024 * 1024
BIG = b"\x95\x01" + b"x" * 60_000


def test_a2_a_full_disk_is_counted_and_told_by_the_first_write_that_works_again(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    size = os.path.getsize(os.path.join(spool.path, "e-00000001.seg"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        assert not any(spool.writer.append(b"\x91\x01" + b"x" * 300) for _ in range(7))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert spool.writer.append(b"\x91\x02")

    found = drain(spool)
    assert found[0] == b"\x91\x01"
    assert found[-1] == b"\x91\x02"
    assert sum(lost_counts(body)[0] for body in found) == 7
    assert spool.writer.counters.dropped == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a2_a_disk_that_fills_up_loses_nothing_silently(rig, tmp_path, mounted):
    rig.root = mounted(tmp_path / "small", 256 * 1024) / "root"
    spool = rig.open()
    body = b"\x91\x01" + b"x" * 3_000

    kept = sum(spool.writer.append(body) for _ in range(200))
    ballast = next(Path(spool.home).parent.parent.glob("ballast"))
    ballast.unlink()
    spool.scan()
    spool.evict()
    assert spool.writer.append(b"\x91\x02")

    found = drain(spool)
    assert 0 < kept < 200
    assert found.count(body) == kept
    assert sum(lost_counts(body)[0] for body in found) == 200 - kept


def test_a_body_that_fits_no_frame_is_counted(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")

    assert not spool.writer.append(b"x" * 70_000)
    assert spool.writer.append(b"\x91\x02")

    found = drain(spool)
    assert [lost_counts(body)[0] for body in found] == [0, 1, 0]
    assert found[1][2] == 7


def test_pending_counts_are_told_without_another_fact(rig):
    spool = rig.open()
    spool.writer.append(b"x" * 70_000)

    assert [lost_counts(body)[0] for body in drain(spool)] == [1]


def test_the_oldest_segments_go_first_and_one_lost_item_stands_for_them(rig):
    spool = rig.open(max_bytes=3 * ROTATION)
    for _ in range(18 * 4):
        spool.writer.append(BIG)
    before = spool.scan()

    spool.evict()

    usage = spool.usage()
    assert usage.evicted == 36
    assert usage.bytes < 3 * ROTATION
    assert before[0].read(0, 10, 10_000) == [lost_body(1, 18, 18)]
    assert before[0].last == 18
    assert before[0].read(7, 10, 10_000) == [lost_body(1, 18, 18)]
    found = drain(spool)
    assert len(found) == 2 + 36
    spool.evict()
    assert spool.usage().evicted == 36


def test_a_second_eviction_counts_nothing_twice(rig):
    spool = rig.open(max_bytes=ROTATION)
    for _ in range(18 * 4):
        spool.writer.append(BIG)
    spool.scan()

    spool.evict()
    once = spool.usage().evicted
    spool.evict()

    assert spool.usage().evicted == once == 36


def test_a7_far_above_the_bound_writers_drop_the_newest_and_count(rig):
    spool = rig.open(max_bytes=ROTATION)
    written = sum(spool.writer.append(BIG) for _ in range(18 * 4))

    assert written < 18 * 4
    assert not spool.writer.append(BIG)
    spool.scan()
    spool.evict()

    assert spool.writer.append(b"\x91\x02")
    counted = spool.usage().evicted + sum(lost_counts(body)[0] for body in drain(spool)[1:])
    assert counted >= 18 * 4 - written


def test_control_facts_are_kept_when_there_is_no_room_for_others(rig):
    spool = rig.open(max_bytes=ROTATION)
    for _ in range(18 * 4):
        spool.writer.append(BIG)

    assert spool.writer.append_control(b"\x91\x03")


def test_a_torn_marker_of_a_loss_stands_for_one_of_it(rig, monkeypatch):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    lane = spool.writer._facts
    for _ in range(3):
        lane._drop(2)
    whole = os.write
    monkeypatch.setattr("z4j_core.spool.writer.write", lambda fd, data: whole(fd, data[:5]))
    spool.writer.settle()
    monkeypatch.setattr("z4j_core.spool.writer.write", whole)

    spool.writer.append(b"\x91\x02")

    assert sum(lost_counts(body)[0] for body in drain(spool)) == 3


def torn(appender, body, monkeypatch):
    """Append `body` while the disk has room for five bytes."""
    whole = os.write
    monkeypatch.setattr("z4j_core.spool.writer.write", lambda fd, data: whole(fd, data[:5]))
    appender.append(body)
    monkeypatch.setattr("z4j_core.spool.writer.write", whole)


def test_torn_writes_with_a_whole_one_of_a_sibling_between_them_are_two_losses(rig, monkeypatch):
    spool = rig.open()
    sibling = attach_child(spool.path)
    spool.writer.append(b"\x91\x01")
    torn(spool.writer, b"\x91\x02", monkeypatch)
    sibling.append(b"\x91\x03")
    torn(spool.writer, b"\x91\x04", monkeypatch)

    spool.writer.append(b"\x91\x05")

    found = drain(spool)
    sibling.close()
    assert sum(lost_counts(body)[0] for body in found) == 2


def test_torn_writes_of_siblings_behind_each_other_are_as_many_losses(rig, monkeypatch):
    spool = rig.open()
    siblings = [attach_child(spool.path) for _ in range(3)]
    for sibling in siblings:
        torn(sibling, b"\x91\x02", monkeypatch)
    torn(siblings[0], b"\x91\x02", monkeypatch)

    for sibling in siblings:
        sibling.append(b"\x91\x03")

    found = drain(spool)
    for sibling in siblings:
        sibling.close()
    assert found.count(b"\x91\x03") == 3
    assert sum(lost_counts(body)[0] for body in found) == 4


def test_a_write_that_took_nothing_leaves_no_torn_bytes_and_is_counted(rig, monkeypatch):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")
    monkeypatch.setattr("z4j_core.spool.writer.write", lambda fd, data: 0)
    spool.writer.append(b"\x91\x02")
    monkeypatch.undo()

    spool.writer.append(b"\x91\x03")

    assert sum(lost_counts(body)[0] for body in drain(spool)) == 1


def test_torn_writes_in_two_segments_are_two_losses_and_no_third(rig, monkeypatch):
    monkeypatch.setattr("z4j_core.spool.writer.ROTATE_BYTES", 200)
    spool = rig.open()
    whole = os.write
    spool.writer.append(b"\x91\x01" + b"x" * 200)
    monkeypatch.setattr("z4j_core.spool.writer.write", lambda fd, data: whole(fd, data[:-1]))
    spool.writer.append(b"\x91\x01" + b"x" * 200)
    spool.writer.append(b"\x91\x01" + b"x" * 200)
    monkeypatch.setattr("z4j_core.spool.writer.write", whole)

    spool.writer.append(b"\x91\x02")

    assert sum(lost_counts(body)[0] for body in drain(spool)) == 2


def test_an_evicted_segment_keeps_the_losses_that_were_told_in_it(rig):
    spool = rig.open(max_bytes=4_000)
    spool.writer.append(b"\x91\x01")
    spool.writer.append(lost_body(2, 9))
    for _ in range(20):
        spool.writer.append(BIG)

    spool.scan()
    spool.evict()

    bodies = next(iter(spool.scan())).read(0, 500, 192_000)
    counts = [lost_counts(body) for body in bodies]
    assert counts[:2] == [(1, 1), (9, 0)]
    assert counts[2][0] == counts[2][1] - 2


def test_what_the_last_writer_left_without_a_trace_is_sealed_when_room_is_short(rig):
    spool = rig.open(max_bytes=4_000)
    child = attach_child(spool.path)
    for _ in range(2):
        child.append(BIG)
    drain(spool)
    child.close()

    spool.evict()

    assert not [name for name in os.listdir(spool.path) if name.startswith("e-")]


def test_a_look_for_the_half_made_while_a_segment_is_made_loses_nothing(rig, monkeypatch):
    spool = rig.open()
    lock, looked = files.fcntl.flock, []

    def flock(fd, operation):
        if operation == files.fcntl.LOCK_SH and not looked:
            looked.append(spool.scan())
        lock(fd, operation)

    monkeypatch.setattr(files.fcntl, "flock", flock)

    assert spool.writer.append(b"\x91\x01")

    assert looked
    assert drain(spool) == [b"\x91\x01"]
    assert spool.writer.counters.dropped == 0


def test_what_kept_a_fact_from_being_written_is_said(rig, monkeypatch):
    spool = rig.open()

    def refused(*_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(files.os, "listdir", refused)

    assert not spool.writer.append(b"\x91\x01")

    assert spool.writer.counters.why == "[Errno 24] Too many open files"
