"""Who falls silent in the middle of a transaction keeps nobody from leading for long."""

from __future__ import annotations

import os

import psycopg
import pytest
from z4j_core.clock import SystemClock
from z4j_core.errors import StoreUnavailable
from z4j_core.scheduler.lease import Lease
from z4j_core.scheduler.leases.connections import SILENT_MS, WAITS_MS, Connections
from z4j_core.scheduler.leases.sql import SqlStore
from z4j_testing.leases.bench import FP
from z4j_testing.services import postgres_url
from z4j_testing.signals import eventually

pytestmark = pytest.mark.live
LOCK = "SELECT owner FROM z4j_lease WHERE grp = :g FOR UPDATE"


@pytest.fixture
def opened():
    """Makes stores of a group in a schema of its own, and says over what."""
    schema, url = f"silent_{os.getpid()}", postgres_url("postgres")
    connections = []

    def make():
        options = f"-c search_path={schema}"
        connections.append(Connections(lambda: psycopg.connect(url, options=options)))
        return SqlStore(connections[-1], "p/e/a", SystemClock().boottime), connections[-1]

    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
        yield make
        for each in connections:
            each.close()
        admin.execute(f"DROP SCHEMA {schema} CASCADE")


def led(store):
    try:
        lease = store.acquire("two", ttl_ms=5_000, fp=FP, rev="")
    except StoreUnavailable:
        return None
    return lease if isinstance(lease, Lease) else None


def holding(transaction, act):
    """Let something happen while a transaction holds the lock and says nothing."""
    with transaction() as db:
        db.rows(LOCK, {"g": "p/e/a"})
        act()


@pytest.fixture
def one(opened):
    """(store, what it speaks over) of who led before."""
    store, transaction = opened()
    store.release(store.acquire("one", ttl_ms=5_000, fp=FP, rev=""))
    return store, transaction


def test_another_leads_soon_after_who_holds_the_lock_fell_silent(opened, one):
    two, _ = opened()
    patience_s = (SILENT_MS + WAITS_MS) / 1000 * 4

    with pytest.raises(StoreUnavailable):
        holding(one[1], lambda: eventually(lambda: led(two), "another to lead", patience_s))

    assert led(two).owner == "two"


def test_who_waits_for_a_lock_is_told_instead_of_waiting_on(opened, one):
    two, _ = opened()

    def wait():
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            two.acquire("two", ttl_ms=5_000, fp=FP, rev="")

    holding(one[1], wait)


def test_a_store_that_was_silent_works_again(opened, one):
    two, _ = opened()
    with pytest.raises(StoreUnavailable):
        holding(one[1], lambda: eventually(lambda: led(two), "another to lead", 20))

    assert one[0].is_blank() is False
