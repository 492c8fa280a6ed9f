"""Reading along: every fact once, and the sender notices nothing."""

from __future__ import annotations

import os

import pytest
from z4j_core.clock import SystemClock
from z4j_core.spool import SpoolSettings, attach_child, open_spool
from z4j_core.spool.tail import Tail

MIB = 1 << 20


@pytest.fixture
def spool(tmp_path):
    settings = SpoolSettings(str(tmp_path), "o", "demo", bytes(16))
    opened = open_spool(settings, {"role": "worker"}, clock=SystemClock(), entropy=os.urandom)
    yield opened
    opened.close(offline=True)


def fact(number, size=40):
    return b"\x92\x01\xda" + size.to_bytes(2, "big") + (b"%d" % number).ljust(size, b".")


def test_what_was_there_before_is_not_told_and_what_comes_is_told_once(spool):
    spool.writer.append(fact(0))
    tail = Tail(spool.path)

    assert list(tail.read()) == []
    spool.writer.append(fact(1))
    spool.writer.append(fact(2))
    assert list(tail.read()) == [fact(1), fact(2)]
    assert list(tail.read()) == []


def test_what_children_write_is_told_too(spool):
    spool.writer.append(fact(0))
    tail = Tail(spool.path)
    list(tail.read())
    child = attach_child(spool.path)

    child.append(fact(1))

    assert list(tail.read()) == [fact(1)]
    child.close()


def test_nothing_is_missed_while_segments_are_filled_sent_and_removed(spool):
    spool.writer.append(fact(0))
    tail = Tail(spool.path)
    told, sent = list(tail.read()), {}
    for number in range(1, 120):
        spool.writer.append(fact(number, 30_000))
        for segment in spool.scan():
            segment.read(sent.get(segment.segment_id, 0), 500, MIB)
            sent[segment.segment_id] = segment.last
        told += tail.read()
        for segment in spool.scan():
            segment.ack(sent.get(segment.segment_id, 0))

    assert told == [fact(number, 30_000) for number in range(1, 120)]
    assert len(sent) > 2


def test_the_sender_still_sees_that_something_came(spool):
    spool.writer.append(fact(0))
    for segment in spool.scan():
        segment.read(0, 500, MIB)
    tail = Tail(spool.path)
    list(tail.read())

    spool.writer.append(fact(1))
    list(tail.read())

    assert spool.grew()


def test_a_directory_that_is_gone_has_nothing_to_tell(tmp_path):
    assert list(Tail(str(tmp_path / "none")).read()) == []
