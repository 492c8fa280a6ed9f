"""Waiting, and services that are away. The rule: a call ends, whatever the service does."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from z4j_core.errors import StoreUnavailable
from z4j_core.scheduler.lease import LeaseStore, Outcome, Sealed, rev_text

from ..signals import WAIT_S, eventually
from .bench import Bench, lead, refused, slot

_LONG_S = 20.0


def _ready(store: LeaseStore) -> None:
    """Have the store listen: the first answers may be about what was before."""
    refused(store, "two")
    eventually(lambda: not store.wait(0.01), "nothing new")


def _woken(store: LeaseStore, change: Callable[[], object]) -> bool:
    found: list[bool] = []
    waiter = threading.Thread(target=lambda: found.append(store.wait(_LONG_S)), daemon=True)
    waiter.start()
    change()
    waiter.join(_LONG_S / 2)
    return found == [True]


class TestWaiting:
    """Wake-ups and outages."""

    def test_a_wait_ends_when_its_time_is_up(self, bench: Bench) -> None:
        lead(bench.make(), "one")
        standby = bench.make()
        _ready(standby)

        assert not standby.wait(0.1)

    def test_a_release_wakes_those_who_wait(self, bench: Bench) -> None:
        store, standby = bench.make(), bench.make()
        lease = lead(store, "one")
        _ready(standby)

        assert _woken(standby, lambda: store.release(lease))

    def test_a_release_between_the_refusal_and_the_wait_is_not_missed(self, bench: Bench) -> None:
        store, standby = bench.make(), bench.make()
        lease = lead(store, "one")
        refused(standby, "two")
        store.release(lease)

        assert _woken(standby, lambda: None)

    def test_a_new_snapshot_wakes_those_who_wait(self, bench: Bench) -> None:
        store, standby = bench.make(), bench.make()
        lead(store, "one")
        _ready(standby)

        assert _woken(standby, lambda: store.put_snapshot(Sealed(rev_text(1, 1), b"", {})))

    def test_a_renewal_wakes_nobody(self, bench: Bench) -> None:
        store, standby = bench.make(), bench.make()
        lease = lead(store, "one")
        _ready(standby)
        store.renew(lease, ttl_ms=90_000)

        assert not standby.wait(0.7)

    def test_a_wait_can_be_ended_from_another_thread(self, bench: Bench) -> None:
        store, standby = bench.make(), bench.make()
        lead(store, "one")
        _ready(standby)

        assert _woken(standby, standby.wake)

    def test_a_service_that_is_away_is_said_so_by_every_call_and_may_come_back(
        self, bench: Bench
    ) -> None:
        if bench.gone is None or bench.back is None:
            pytest.skip("this service cannot be away")
        store = bench.gone()
        claim = slot(0)
        calls: list[Callable[[], object]] = [
            lambda: lead(store), store.cursors, store.open, store.snapshot,
            lambda: store.first_start(claim.fire_id, 1), lambda: store.was_started(claim.fire_id),
            lambda: store.run_started(claim.schedule, claim.fire_id, started=True),
            lambda: store.run_ended(claim.schedule, claim.fire_id, failed=True),
            lambda: store.running(claim.schedule), lambda: store.wait(0.1),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(StoreUnavailable):
                call()

        bench.back()

        def claimed() -> bool:
            try:
                return store.claim(lead(store), [claim]) == [Outcome.CLAIMED]
            except StoreUnavailable:
                return False

        assert eventually(claimed, "the service to be back", WAIT_S)
        store.close()
