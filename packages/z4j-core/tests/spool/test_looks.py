"""Looks at the directory of a stream: a change is never taken for one that was seen."""

from __future__ import annotations

import errno
import os

import pytest
from z4j_core.spool import attach_child, directory

from .conftest import drain

NOW_NS = 1_900_000_000_123_000_000
SECOND_NS = 1_000_000_000


@pytest.fixture
def spool(rig, monkeypatch):
    """A spool whose directory was changed and looked at twice in one tick of the kernel."""
    one = rig.open()
    monkeypatch.setattr(directory, "stamp_ns", lambda: NOW_NS)
    os.utime(one.path, ns=(NOW_NS, NOW_NS))
    one.scan()
    one.scan()
    return one


def changed_at(spool, stamp_ns, body=b"\x91\x01"):
    """A new file comes into the directory, stamped with this time."""
    child = attach_child(spool.path)
    child.append(body)
    child.close()
    os.utime(spool.path, ns=(stamp_ns, stamp_ns))


def test_a_file_made_in_the_tick_of_two_looks_is_met(spool):
    changed_at(spool, NOW_NS)

    assert spool.grew()
    assert drain(spool) == [b"\x91\x01"]


def test_a_directory_looked_at_in_a_later_tick_is_settled(spool, monkeypatch):
    monkeypatch.setattr(directory, "stamp_ns", lambda: NOW_NS + 1)

    spool.scan()

    assert not spool.grew()
    changed_at(spool, NOW_NS + 1)
    assert spool.grew()


def test_where_time_stamps_are_whole_seconds_a_look_counts_a_second_later(spool, monkeypatch):
    whole_ns = NOW_NS - NOW_NS % SECOND_NS
    os.utime(spool.path, ns=(whole_ns, whole_ns))
    spool.scan()

    assert spool.grew()
    monkeypatch.setattr(directory, "stamp_ns", lambda: whole_ns + SECOND_NS)
    spool.scan()
    assert not spool.grew()


def test_a_stamp_of_a_clock_that_was_set_back_keeps_nobody_looking(spool, monkeypatch):
    monkeypatch.setattr(directory, "stamp_ns", lambda: NOW_NS - 3_600 * SECOND_NS)

    spool.scan()

    assert not spool.grew()


@pytest.mark.parametrize("call", ["scandir", "open"])
def test_a_look_without_a_free_descriptor_does_not_count(rig, monkeypatch, call):
    spool = rig.open()
    changed_at(spool, NOW_NS)

    def none_left(*_args, **_more):
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(directory.os, call, none_left)
        assert spool.scan() == []

    assert spool.grew()
    assert drain(spool) == [b"\x91\x01"]


def test_a_stream_that_cannot_be_listed_is_not_taken_for_drained(rig, monkeypatch):
    dead = rig.open()
    changed_at(dead, NOW_NS)
    dead.writer.close()
    dead._own.release()
    spool = rig.open()
    spool.adopt()

    def none_left(*_args):
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(directory.os, "scandir", none_left)
        spool.scan()

    assert os.path.isdir(dead.path)
    assert drain(spool) == [b"\x91\x01"]


def test_a_new_file_with_the_inode_of_an_evicted_one_is_met(rig):
    spool = rig.open(max_bytes=3_000)
    changed_at(spool, NOW_NS, b"\x91\x01" + bytes(4_000))
    spool.scan()
    spool.evict()
    (kept,) = spool.scan()
    changed_at(spool, NOW_NS, b"\x91\x02")
    files = spool._streams[0]
    (entry,) = [e for e in files._entries() if e[0].endswith(".seg")]
    files._by_file[entry[1]] = kept.segment_id

    assert drain(spool)[-1] == b"\x91\x02"
