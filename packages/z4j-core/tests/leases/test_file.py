"""A directory of leases: who died is followed at once, who stopped keeps its term."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from multiprocessing import get_context
from pathlib import Path

import pytest
from lease_services import OnFile, lead_on
from z4j_core.errors import LeaseLost, StoreError
from z4j_core.scheduler.lease import Lease, Outcome
from z4j_core.scheduler.leases.connections import Connections
from z4j_testing.crowd import at_once
from z4j_testing.leases.bench import after, ask, lead, refused, slot
from z4j_testing.signals import eventually

spawn = get_context("spawn")
CROWD, TIMES = 4, 60


@contextlib.contextmanager
def leader(make, ttl_ms):
    """Another process that leads, and its lease."""
    told, tell = spawn.Pipe(duplex=False)
    process = spawn.Process(target=lead_on, args=(make, ttl_ms, tell))
    process.start()
    try:
        yield process, Lease(*told.recv())
    finally:
        process.kill()
        process.join()


@pytest.fixture
def make(tmp_path):
    return OnFile(str(tmp_path / "leases"), "demo/toy/shop")


@pytest.fixture
def store(make):
    store = make()
    yield store
    store.close()


def test_a_leader_that_died_is_followed_at_once(make, store):
    with leader(make, 600_000) as (process, old):
        assert refused(store, "two").reason == "held"
        process.kill()
        process.join()

        assert store.wait(10)
        assert lead(store, "two").epoch > old.epoch


def test_whoever_opens_a_file_that_is_written_to_waits_for_its_turn(tmp_path):
    path = tmp_path / "leases.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    refused = []

    class Watched(sqlite3.Connection):
        """While it is refused for the first time, the writer ends."""

        def execute(self, statement, *values):
            try:
                return super().execute(statement, *values)
            except sqlite3.OperationalError as error:
                refused.append(str(error))
                writer.rollback()
                raise

    transaction = Connections(lambda: sqlite3.connect(path, factory=Watched))

    with transaction() as db:
        assert db.rows("SELECT * FROM z4j_lease", {}) == []
    assert refused == ["database is locked"]
    transaction.close()
    writer.close()


def test_many_that_open_a_new_directory_at_once_are_all_answered(tmp_path):
    def opened(at):
        crowd = [OnFile(str(tmp_path / f"leases-{at}"), "demo/toy/shop")() for _ in range(CROWD)]
        try:
            return at_once([store.is_blank for store in crowd])
        finally:
            for store in crowd:
                store.close()

    assert [opened(at) for at in range(TIMES)] == [[True] * CROWD] * TIMES


def test_a_leader_that_is_stopped_keeps_its_term_and_is_fenced_after_it(make, store):
    with leader(make, 3_000) as (process, old):
        os.kill(process.pid, signal.SIGSTOP)

        assert refused(store, "two").reason == "held"
        new = after(store, "two")

        assert new.store_now_ms >= old.store_now_ms + 3_000
        with pytest.raises(LeaseLost):
            store.claim(old, [slot(0)])
        assert store.claim(new, [slot(0)]) == [Outcome.CLAIMED]


def test_who_followed_a_stopped_leader_is_not_taken_for_dead(make, store):
    with leader(make, 1_000) as (process, _):
        os.kill(process.pid, signal.SIGSTOP)
        after(store, "two")
        process.kill()
        process.join()
        third = make()

        assert refused(third, "three").reason == "held"
        third.close()


def test_a_forked_child_does_not_keep_a_dead_leader_alive(make, store):
    ready, parent_is_ready = os.pipe()
    parent = os.fork()
    if parent == 0:
        lead(make(), "one", 600_000)
        child = os.fork()
        if child == 0:
            signal.pause()
        os.write(parent_is_ready, b"%d" % child)
        os._exit(0)
    child = int(os.read(ready, 20))
    os.waitpid(parent, 0)
    try:
        assert eventually(lambda: isinstance(ask(store, "two"), Lease), "the child to let go", 5)
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(ready)
        os.close(parent_is_ready)


def test_a_directory_that_another_boot_still_uses_is_refused(make, store):
    other = make(boot="another")
    lease = lead(other, "one", 1_000)

    with pytest.raises(StoreError, match="another host"):
        ask(store, "two")

    other.release(lease)

    def free():
        with contextlib.suppress(StoreError):
            return ask(store, "two", 1_000)
        return None

    assert isinstance(eventually(free, "the directory to be old"), Lease)
    other.close()


def test_a_directory_that_others_may_read_is_refused(tmp_path):
    there = tmp_path / "open"
    there.mkdir(mode=0o755)

    with pytest.raises(StoreError, match="others"):
        OnFile(str(there), "demo/toy/shop")()


def test_it_is_made_for_us_alone(make, store):
    lead(store)

    directory = Path(make.directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "leases.db").stat().st_mode & 0o077 == 0


def test_what_the_dead_left_is_swept(make, store):
    with leader(make, 600_000):
        pass
    lead(store, "two")

    assert len(list(Path(make.directory).glob("owner-*"))) == 1
