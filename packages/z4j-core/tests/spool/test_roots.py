"""Where a spool may live, and what it says when it may not."""

from __future__ import annotations

import os
import stat

import pytest
from z4j_core.clock import SystemClock
from z4j_core.spool import SpoolSettings, open_spool
from z4j_core.spool.roots import candidates, filesystem_of
from z4j_core.spool.segment import lost_counts

from .conftest import CRED, drain


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Open with the given root and a state directory of the test's own to fall back to."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    spools = []

    def open_at(root):
        settings = SpoolSettings(str(root), "wss://brain:443", "shop", CRED)
        spool = open_spool(settings, {"host": "h"}, clock=SystemClock(), entropy=os.urandom)
        spools.append(spool)
        return spool

    yield open_at
    for spool in spools:
        spool.close(offline=True)


def test_a2_everything_made_is_ours_alone(opened, tmp_path):
    old = os.umask(0)
    try:
        spool = opened(tmp_path / "root")
        spool.writer.append(b"\x91\x01")
    finally:
        os.umask(old)

    for path in (tmp_path / "root", spool.home, spool.path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    for name in os.listdir(spool.path):
        assert stat.S_IMODE(os.stat(os.path.join(spool.path, name)).st_mode) == 0o600


def test_the_chosen_place_is_said_in_one_line(opened, tmp_path):
    spool = opened(tmp_path / "root")

    assert spool.note.startswith(f"{tmp_path}/root (")
    assert "\n" not in spool.note
    assert spool.storage in {"disk", "shm"}


def test_a2_a_symlinked_root_is_not_used(opened, tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")

    spool = opened(tmp_path / "link")

    assert spool.path.startswith(str(tmp_path / "state"))
    assert "not used: " in spool.note
    assert "not a directory" in spool.note
    assert not any((tmp_path / "real").iterdir())


def test_a2_a_root_that_others_can_write_is_not_used(opened, tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)

    spool = opened(tmp_path / "open")

    assert spool.path.startswith(str(tmp_path / "state"))
    assert "writable by others" in spool.note


def test_a_directory_of_ours_that_was_replaced_by_a_link_is_not_used(opened, tmp_path):
    first = opened(tmp_path / "root")
    home = first.home
    first.close(offline=True)
    os.rename(home, home + "-elsewhere")
    os.symlink(home + "-elsewhere", home)

    spool = opened(tmp_path / "root")

    assert spool.path.startswith(str(tmp_path / "state"))


def test_a_directory_of_ours_that_others_may_enter_is_not_used(opened, tmp_path):
    first = opened(tmp_path / "root")
    os.chmod(first.home, 0o755)

    spool = opened(tmp_path / "root")

    assert spool.path.startswith(str(tmp_path / "state"))
    assert "open to others" in spool.note


def test_a_root_that_is_a_file_is_not_used(opened, tmp_path):
    (tmp_path / "file").write_text("")

    assert opened(tmp_path / "file" / "deep").path.startswith(str(tmp_path / "state"))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a read-only disk needs root")
def test_a2_a_read_only_root_is_not_used(opened, tmp_path, mounted):
    import subprocess

    point = mounted(tmp_path / "ro", 64 * 1024)
    subprocess.run(["mount", "-o", "remount,ro", str(point)], check=True)

    spool = opened(point / "root")

    assert spool.path.startswith(str(tmp_path / "state"))
    assert "Read-only" in spool.note


def test_with_no_directory_left_facts_are_kept_in_memory(opened, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("z4j_core.spool.roots.candidates", lambda _: [])

    spool = opened(tmp_path / "file")
    spool.writer.append(b"\x91\x01")

    assert spool.storage == "memory"
    assert spool.path == spool.journal_path == ""
    assert "memory only" in spool.note
    assert spool.grew()
    assert drain(spool) == [b"\x91\x01"]


def test_memory_keeps_the_newest_and_spans_what_went(opened, tmp_path, monkeypatch):
    monkeypatch.setattr("z4j_core.spool.roots.candidates", lambda _: [])
    spool = opened(tmp_path)
    for n in range(10_003):
        spool.writer.append(b"\x91\x01" + n.to_bytes(4, "big"))

    facts = spool.scan()[1]
    first, second = facts.read(0, 2, 10_000)

    assert lost_counts(first) == (3, 3)
    assert second == b"\x91\x01" + (3).to_bytes(4, "big")
    assert facts.last == 4
    assert spool.usage().evicted == 3
    facts.ack(10_003)
    assert spool.usage().bytes == 0


def test_memory_counts_what_children_had_to_say(opened, tmp_path, monkeypatch, in_child):
    monkeypatch.setattr("z4j_core.spool.roots.candidates", lambda _: [])
    spool = opened(tmp_path)

    pid = in_child(lambda: [spool.writer.append(b"\x91\x01") for _ in range(5)])
    os.waitpid(pid, 0)

    assert [lost_counts(body)[0] for body in drain(spool)] == [5]
    assert drain(spool) == []


def test_places_are_tried_from_the_most_lasting_to_the_least(monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.setenv("HOME", "/home/me")

    paths = [candidate.path for candidate in candidates("/mine")]

    name = f"z4j-{os.geteuid()}"
    assert paths == ["/mine", "/state/z4j", "/home/me/.local/state/z4j",
                     f"/var/tmp/{name}", f"/dev/shm/{name}"]  # fmt: skip


def test_the_file_system_of_a_path_is_that_of_its_nearest_mount():
    assert filesystem_of("/proc/self/nothing") == "proc"
    assert filesystem_of("/") != ""
