"""The fence. The rule: nothing is written under an epoch that is over."""

from __future__ import annotations

import pytest
from z4j_core.errors import LeaseLost
from z4j_core.scheduler.lease import Lease, LeaseStore, Mark, Outcome

from ..signals import eventually
from .bench import TTL_MS, Bench, after, lead, schedule, slot


def _deposed(bench: Bench) -> tuple[LeaseStore, Lease, LeaseStore, Lease]:
    one, two = bench.make(), bench.make()
    old = lead(one, "one", 1)
    return one, old, two, after(two, "two")


class TestFence:
    """Writes of a leader that no longer leads."""

    def test_a_deposed_leader_claims_nothing(self, bench: Bench) -> None:
        one, old, two, _ = _deposed(bench)

        with pytest.raises(LeaseLost):
            one.claim(old, [slot(0), slot(1)])

        assert (two.cursors(), list(two.open())) == ({}, [])

    def test_a_deposed_leader_settles_nothing(self, bench: Bench) -> None:
        one, two = bench.make(), bench.make()
        old = lead(one, "one")
        one.claim(old, [slot(0)])
        one.release(old)
        lead(two, "two")

        with pytest.raises(LeaseLost):
            one.settle(old, [Mark(slot(0).fire_id, "sent")])

        assert [fire.fire_id for fire in two.open()] == [slot(0).fire_id]

    def test_a_deposed_leader_neither_renews_nor_releases(self, bench: Bench) -> None:
        one, old, two, new = _deposed(bench)

        with pytest.raises(LeaseLost):
            one.renew(old, ttl_ms=TTL_MS)
        one.release(old)

        assert two.claim(new, [slot(0)]) == [Outcome.CLAIMED]

    def test_a_lease_that_ran_out_writes_nothing_though_nobody_took_it(self, bench: Bench) -> None:
        store = bench.make()
        store.release(lead(store, "one", 1))
        old = lead(store, "one", 1)
        fires = [slot(0)]

        def lost() -> bool:
            try:
                store.claim(old, fires)
            except LeaseLost:
                return True
            return False

        assert eventually(lost, "the lease to run out")
        with pytest.raises(LeaseLost):
            store.settle(old, [])
        with pytest.raises(LeaseLost):
            store.renew(old, ttl_ms=TTL_MS)

    def test_an_earlier_epoch_of_the_same_owner_writes_nothing(self, bench: Bench) -> None:
        store = bench.make()
        old = lead(store, "one")
        store.release(old)
        new = lead(store, "one")

        with pytest.raises(LeaseLost):
            store.claim(old, [slot(0)])

        assert store.claim(new, [slot(0)]) == [Outcome.CLAIMED]

    def test_a_batch_under_a_lost_lease_leaves_nothing_of_it(self, bench: Bench) -> None:
        one, old, two, new = _deposed(bench)

        with pytest.raises(LeaseLost):
            one.claim(old, [slot(number) for number in range(500)])

        assert two.claim(new, [slot(number) for number in range(500)]) == [Outcome.CLAIMED] * 500
        assert schedule(499) in two.cursors()
