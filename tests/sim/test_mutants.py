"""Each named mutant of delivery dies in the simulator by its promise, or by a test of its own.

The rule: a mutant of the specification that is not here says why not yet.
"""

import os
from collections import Counter

import pytest
from mutations import MUTANTS, segment_known_by_number, short_tail_is_corrupt
from sim_life import live
from sim_promises import Broken
from z4j_core.clock import SystemClock
from z4j_core.spool import SpoolSettings, files, open_spool, segment, stream
from z4j_core.spool.disk import attach_child

SEEDS = 250
ELSEWHERE = {
    "rotate_without_inode_check": "test_a_writer_never_joins_a_file_that_was_renamed_meanwhile",
    "segment_known_by_number": "test_a_sealed_segment_never_takes_the_name_of_another",
    "short_tail_is_corrupt": "test_a_frame_seen_half_written_is_late_and_not_lost",
    "reuse_old_segment_after_boot": "test_a_new_process_never_writes_at_offsets_that_were_used",
    "owner_lock_inherited": "packages/z4j-core/tests/mutants.py",
    "rerun_after_intent": "packages/z4j-core/tests/mutants.py",
    "result_without_journal": "packages/z4j-core/tests/mutants.py",
    "deadline_restarts_on_resend": "packages/z4j-core/tests/mutants.py",
}
NOT_YET = {
    "lease_margin_zero": "there is no scheduler yet",
    "older_snapshot_accepted": "there is no scheduler yet",
    "delta_on_wrong_base": "there is no scheduler yet",
}
NAMED = frozenset(
    [
        "no_dedup",
        "accept_gap",
        "ack_before_commit",
        "watermark_in_second_transaction",
        "silent_drop",
        "lost_marker_not_durable",
        "corrupt_not_counted",
        "resume_from_sent",
        "zombie_epoch_accepted",
        "unlink_unsealed",
        "done_before_unlink",
        "rotate_without_inode_check",
        "segment_known_by_number",
        "reuse_old_segment_after_boot",
        "owner_lock_inherited",
        "short_write_ignored",
        "short_tail_is_corrupt",
        "late_sibling_dropped",
        "rerun_after_intent",
        "result_without_journal",
        "deadline_restarts_on_resend",
        "poison_item_loops",
        "lease_margin_zero",
        "older_snapshot_accepted",
        "delta_on_wrong_base",
        "credit_ignored",
    ]
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mutant_dies_by_the_promise_it_breaks(mutant, record_property):
    others = Counter()
    for seed in range(SEEDS):
        with pytest.MonkeyPatch.context() as patch:
            mutant(patch)
            try:
                live(seed, patch)
            except Broken as error:
                if error.promise == mutant.promise:
                    record_property("figures", f"{mutant.__name__}: seed {seed}, {error}")
                    return
                others[error.promise] += 1
    pytest.fail(f"{SEEDS} seeds kept the promise {mutant.promise!r}; broken were {dict(others)}")


def test_every_mutant_of_the_specification_has_its_place():
    here = {mutant.__name__ for mutant in MUTANTS}

    assert here | set(ELSEWHERE) | set(NOT_YET) >= NAMED
    assert not here & set(NOT_YET)


@pytest.fixture
def spool(tmp_path):
    settings = SpoolSettings(str(tmp_path / "root"), "o", "demo", bytes(16))
    one = open_spool(settings, {}, clock=SystemClock(), entropy=os.urandom)
    yield one
    one.close(offline=True)


def kept(spool):
    return [body for one in spool.scan() for body in one.read(0, 500, 192_000)]


def joins_a_sealed_file(spool, monkeypatch):
    """Whether a fact is gone because its file was sealed by the owner while it was opened."""
    first = attach_child(spool.path)
    first.append(b"\x91\x01")
    first.close()
    lock, armed = files.fcntl.flock, [True]

    def slow(fd, how):
        if armed and how & files.fcntl.LOCK_SH and os.fstat(fd).st_size > 0:
            armed.clear()
            spool.scan()
        return lock(fd, how)

    late = attach_child(spool.path)
    monkeypatch.setattr(files.fcntl, "flock", slow)
    late.append(b"\x91\x02")
    monkeypatch.setattr(files.fcntl, "flock", lock)
    assert not armed
    for one in spool.scan():
        one.read(0, 500, 192_000)
        one.ack(one.last)
    late.append(b"\x91\x03")
    gone = b"\x91\x03" not in kept(spool)
    late.close()
    return gone


def test_a_writer_never_joins_a_file_that_was_renamed_meanwhile(spool, monkeypatch):
    assert not joins_a_sealed_file(spool, monkeypatch)


def test_mutant_rotate_without_inode_check_dies(spool, monkeypatch):
    def join(self, number):
        try:
            fd = os.open(self.path(number), files._MODE)
        except FileNotFoundError:
            return None
        files.fcntl.flock(fd, files.fcntl.LOCK_SH)
        header, _ = files.parse_header(os.pread(fd, 16_384, 0))
        return files.Opened(fd, number, header.seed)

    monkeypatch.setattr(files.SegmentFiles, "_join", join)

    assert joins_a_sealed_file(spool, monkeypatch)


def sealed_twice(spool):
    """What is left of two segments that had the same number one after the other."""
    for body in (b"\x91\x01", b"\x91\x02"):
        child = attach_child(spool.path)
        child.append(body)
        child.close()
        spool.scan()
    return sorted(kept(spool))


def test_a_sealed_segment_never_takes_the_name_of_another(spool):
    assert sealed_twice(spool) == [b"\x91\x01", b"\x91\x02"]


def test_mutant_segment_known_by_number_dies(spool, monkeypatch):
    segment_known_by_number(monkeypatch)

    assert sealed_twice(spool) != [b"\x91\x01", b"\x91\x02"]


def seen_half_written(spool):
    """What a reader makes of a frame that it sees in two parts."""
    spool.writer.append(b"\x91\x01")
    opened = spool.writer._facts._segment
    data = segment.frame(b"\x91\x02", opened.seed)
    (one,) = spool.scan()
    os.write(opened.fd, data[:5])
    bodies = one.read(0, 500, 192_000)
    os.write(opened.fd, data[5:])
    return bodies + one.read(one.last, 500, 192_000)


def test_a_frame_seen_half_written_is_late_and_not_lost(spool):
    assert seen_half_written(spool) == [b"\x91\x01", b"\x91\x02"]


def test_mutant_short_tail_is_corrupt_dies(spool, monkeypatch):
    short_tail_is_corrupt(monkeypatch)

    assert seen_half_written(spool) != [b"\x91\x01", b"\x91\x02"]


def names_after_a_power_cut(tmp_path):
    """Names (stream, segment, offset) of a fact the brain has stored, and of the next one."""
    settings = SpoolSettings(str(tmp_path / "host"), "o", "demo", bytes(16))
    named = []
    for body in (b"\x91\x01", b"\x91\x02"):
        one = open_spool(settings, {}, clock=SystemClock(), entropy=os.urandom)
        one.writer.append(body)
        (found,) = [s for s in one.scan() if body in s.read(0, 500, 192_000)]
        named.append((found.stream, found.segment_id, found.last))
        path = os.path.join(one.path, "e-00000001.seg")
        one.writer.close()
        for owned in one._streams:
            owned.owned.release()
        os.truncate(path, os.path.getsize(path) - 14)
    return named


def test_a_new_process_never_writes_at_offsets_that_were_used(tmp_path):
    stored, new = names_after_a_power_cut(tmp_path)

    assert stored != new


def test_mutant_reuse_old_segment_after_boot_dies(tmp_path, monkeypatch):
    create = stream.create

    def reuse(streams, *args):
        old = [stream.adopt(os.path.join(streams, name)) for name in os.listdir(streams)]
        return next((one for one in old if one), None) or create(streams, *args)

    monkeypatch.setattr(stream, "create", reuse)

    stored, new = names_after_a_power_cut(tmp_path)

    assert stored == new
