"""Many processes: siblings over rotations, killed at any moment, orphans, copies, successors."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from z4j_core.spool import attach_child
from z4j_core.spool.segment import LOST_CORRUPT, lost_counts

from .conftest import Rig, drain, drain_segment

WRITERS = 8
FRAMES = int(os.environ.get("Z4J_SPOOL_FRAMES", "30000"))
PADDING = b"p" * 280


def writing(spool, writer, count, told):
    """Append `count` frames and say after each, in memory shared with the parent, how far it is."""
    for n in range(count):
        body = b"\x95\x01" + writer.to_bytes(2, "big") + n.to_bytes(4, "big") + PADDING
        if spool.writer.append(body):
            told[writer * 4 : writer * 4 + 4] = (n + 1).to_bytes(4, "big")


def reaped(pids):
    for pid in pids:
        os.waitpid(pid, 0)


def test_eight_forked_writers_killed_at_random_lose_no_completed_write(rig, in_child):
    import mmap

    spool = rig.open()
    rng = random.Random(8)
    told = mmap.mmap(-1, 4096)
    found = []
    generation = FRAMES // WRITERS // 3
    writers = 0
    for _ in range(3):
        pids = []
        for _ in range(WRITERS):
            pids.append(in_child(lambda n=writers: writing(spool, n, generation, told)))
            writers += 1
        for pid in pids[:3]:
            goal = rng.randrange(1, generation)
            first = writers - WRITERS + pids.index(pid)
            while int.from_bytes(told[first * 4 : first * 4 + 4], "big") < goal:
                found += drain(spool)
            os.kill(pid, signal.SIGKILL)
        reaped(pids)
        found += drain(spool)
    spool.writer.close()
    found += drain(spool)

    seen = {}
    for body in found:
        if body[1] == 1:
            seen.setdefault(int.from_bytes(body[2:4], "big"), []).append(
                int.from_bytes(body[4:8], "big")
            )
    for writer in range(writers):
        done = int.from_bytes(told[writer * 4 : writer * 4 + 4], "big")
        got = sorted(seen[writer])
        assert got == list(range(len(got)))
        assert done <= len(got) <= done + 1
    assert sum(map(len, seen.values())) > FRAMES * 0.6
    assert len(found) - sum(map(len, seen.values())) <= 9
    assert not [name for name in os.listdir(spool.path) if name.endswith((".seg", ".done"))]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_at_any_moment_neither_blocks_nor_doubles(rig, in_child):
    spool = rig.open()
    stop = threading.Event()
    counts = [0]

    def busy():
        while not stop.wait(0.0005):  # slow enough to stay far below the spool's bound
            spool.writer.append(b"\x94\x01" + b"x" * 5_000)
            counts[0] += 1

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()

    def child():
        for _ in range(50):
            assert spool.writer.append(b"\x94\x02" + b"y" * 5_000)
        assert spool.writer.counters.written == 50

    try:
        pids = [in_child(child) for _ in range(20)]
        codes = [os.waitpid(pid, 0)[1] for pid in pids]
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)

    found = drain(spool)
    assert codes == [0] * 20
    assert sum(body[1] == 2 for body in found) == 1_000
    assert sum(body[1] == 1 for body in found) == spool.writer.counters.written


def test_what_a_child_could_not_write_is_not_told_twice(rig, in_child):
    spool = rig.open()
    spool.writer.append(b"x" * 70_000)

    reaped([in_child(lambda: spool.writer.append(b"\x91\x01"))])

    found = drain(spool)
    assert sum(lost_counts(body)[0] for body in found) == 1


CHILD = """
import sys
from z4j_core.spool import attach_child
writer = attach_child(sys.argv[1])
assert all(writer.append(b"\\x91\\x01") for _ in range(100))
assert writer.append_control(b"\\x91\\x03")
"""


def test_a_spawned_child_writes_by_path(rig):
    spool = rig.open()
    spool.writer.append(b"\x91\x01")

    subprocess.run([sys.executable, "-c", CHILD, spool.path], check=True, timeout=30)

    assert drain(spool) == [b"\x91\x03"] + [b"\x91\x01"] * 101


def test_a_spawned_child_without_a_stream_drops_and_counts(tmp_path):
    writer = attach_child(str(tmp_path / "nothing"))

    assert not writer.append(b"\x91\x01")
    assert writer.counters.dropped == 1
    writer.close()


def orphaned(root, in_child, run, *, offline=False):
    """A process that opened a spool, ran `run(spool)` and ended; its stream is left."""

    def live():
        rig = Rig(root)
        spool = rig.open()
        run(spool)
        if offline:
            spool.close(offline=True)

    reaped([in_child(live)])


def test_a9_the_stream_of_a_dead_process_is_adopted_and_read(rig, in_child):
    orphaned(rig.root, in_child, lambda spool: [spool.writer.append(b"\x91\x01")] * 1)
    spool = rig.open()

    (adopted,) = spool.adopt()

    assert adopted.epoch == 2
    assert not adopted.was_offline
    assert adopted.meta["host"] == "h"
    assert adopted.journal_path == os.path.join(adopted.path, "journal")
    assert drain(spool) == [b"\x91\x01"]
    spool.scan()
    assert not os.path.exists(adopted.path)


def test_a_stream_whose_owner_said_goodbye_is_told_apart_from_a_death(rig, in_child):
    orphaned(rig.root, in_child, lambda spool: spool.writer.append(b"\x91\x01"), offline=True)

    (adopted,) = rig.open().adopt()

    assert adopted.was_offline


def test_a9_two_agents_on_one_spool_have_one_stream_each_and_adopt_neither(rig, in_child):
    mine = rig.open()
    ready, go = os.pipe(), os.pipe()

    def live():
        other = Rig(rig.root).open()
        assert other.stream != mine.stream
        assert other.adopt() == []
        os.write(ready[1], b"x")
        os.read(go[0], 1)

    pid = in_child(live)
    assert os.read(ready[0], 1) == b"x"

    assert mine.adopt() == []

    os.write(go[1], b"x")
    assert os.waitpid(pid, 0)[1] == 0
    assert len(mine.adopt()) == 1
    for end in (*ready, *go):
        os.close(end)


def test_two_spools_of_one_process_do_not_adopt_each_other(rig):
    first, second = rig.open(), rig.open()

    assert first.adopt() == []
    assert second.adopt() == []
    assert first.is_owner
    assert second.is_owner


def test_a_child_that_outlives_its_owner_is_read_to_its_last_fact(rig, in_child):
    ready, go = os.pipe(), os.pipe()

    def owner():
        spool = Rig(rig.root).open()
        spool.writer.append(b"\x91\x01")
        if os.fork() == 0:
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            spool.writer.append(b"\x91\x02")
            os.write(ready[1], b"y")
            os._exit(0)

    reaped([in_child(owner)])
    assert os.read(ready[0], 1) == b"x"
    spool = rig.open()
    (adopted,) = spool.adopt()
    assert drain(spool) == [b"\x91\x01"]
    spool.scan()
    assert os.path.exists(adopted.path)

    os.write(go[1], b"x")
    assert os.read(ready[0], 1) == b"y"

    assert drain(spool) == [b"\x91\x02"]
    for end in (*ready, *go):
        os.close(end)


def test_a_forked_child_does_not_keep_a_dead_owners_stream_locked(rig, in_child):
    hold = os.pipe()

    def owner():
        Rig(rig.root).open()
        if os.fork() == 0:
            os.close(hold[1])
            os.read(hold[0], 1)
            os._exit(0)

    reaped([in_child(owner)])

    assert len(rig.open().adopt()) == 1
    os.close(hold[1])
    os.close(hold[0])


def test_a_forked_child_knows_that_it_is_no_owner(rig, in_child):
    spool = rig.open()

    def child():
        assert not spool.is_owner

    assert os.waitpid(in_child(child), 0)[1] == 0
    assert spool.is_owner


def test_a_copied_spool_has_the_same_names_for_the_same_items(rig, tmp_path, in_child):
    orphaned(rig.root, in_child, lambda spool: [spool.writer.append(b"\x91\x01"),
                                                spool.writer.append(b"\x91\x02")])  # fmt: skip
    shutil.copytree(rig.root, tmp_path / "copy", copy_function=shutil.copy)
    there = Rig(tmp_path / "copy")

    here, copy = rig.open(), there.open()
    here.adopt()
    copy.adopt()

    (one,), (other,) = here.scan(), copy.scan()
    assert one.stream == other.stream != here.stream
    assert one.segment_id == other.segment_id
    assert drain_segment(one) == drain_segment(other)
    there.close()


def test_a_stream_under_a_foreign_name_gives_none_of_its_items(rig, in_child):
    orphaned(rig.root, in_child, lambda spool: spool.writer.append(b"\x91\x01"))
    spool = rig.open()
    streams = os.path.dirname(spool.path)
    (name,) = (name for name in os.listdir(streams) if name != spool.stream.hex())
    os.rename(os.path.join(streams, name), os.path.join(streams, "ab" * 16))

    spool.adopt()

    found = drain(spool) + drain(spool)
    assert [lost_counts(body) for body in found] == [(1, 0)]
    assert found[0][2] == LOST_CORRUPT


def test_a_half_born_stream_is_left_alone(rig):
    spool = rig.open()
    os.mkdir(os.path.join(os.path.dirname(spool.path), ".new-" + "ab" * 16), 0o700)

    assert spool.adopt() == []


@pytest.mark.parametrize("kept", [b"", b"not a number", b"7"])
def test_each_owner_has_a_higher_epoch(rig, in_child, kept):
    orphaned(rig.root, in_child, lambda spool: spool.writer.append(b"\x91\x01"))
    spool = rig.open()
    streams = os.path.dirname(spool.path)
    (name,) = (name for name in os.listdir(streams) if name != spool.stream.hex())
    with open(os.path.join(streams, name, "epoch"), "wb") as file:
        file.write(kept)

    (adopted,) = spool.adopt()

    assert adopted.epoch == (8 if kept == b"7" else 2)
