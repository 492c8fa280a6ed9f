"""Who leads. The rule: one owner at a time, and each change of owner has a greater epoch."""

from __future__ import annotations

import pytest
from z4j_core.errors import LeaseLost
from z4j_core.scheduler.lease import MARGIN_MS, Sealed, rev_text

from .bench import TTL_MS, Bench, after, ask, lead, refused


class TestLeading:
    """Acquire, renew, release."""

    def test_the_first_who_asks_leads_and_others_hear_until_when(self, bench: Bench) -> None:
        one, two = bench.make(), bench.make()

        lease = lead(one, "one")
        refusal = refused(two, "two")

        assert refusal.reason == "held"
        assert refusal.expires_ms >= lease.store_now_ms + TTL_MS
        assert refusal.expires_ms > refusal.store_now_ms >= lease.store_now_ms

    def test_it_knows_whether_anybody_ever_led(self, bench: Bench) -> None:
        store = bench.make()
        before = store.is_blank()
        lease = lead(store, "one")
        led = store.is_blank()
        store.release(lease)

        assert (before, led, bench.make().is_blank()) == (store.kind != "brain", False, False)

    def test_the_owner_that_asks_again_gets_the_same_epoch(self, bench: Bench) -> None:
        store = bench.make()

        assert lead(store, "one").epoch == lead(store, "one").epoch

    def test_the_right_ends_a_margin_before_the_store_gives_it_to_others(
        self, bench: Bench
    ) -> None:
        store = bench.make()

        first, longer = lead(store, "one", 10_000), lead(store, "one", 20_000)
        renewed = store.renew(longer, ttl_ms=30_000)

        for earlier, later in ((first, longer), (longer, renewed)):
            asked_s = (later.store_now_ms - earlier.store_now_ms) / 1000
            assert later.deadline - earlier.deadline == pytest.approx(10 + asked_s, abs=1.0)
        assert MARGIN_MS == 2_000

    def test_a_released_lease_is_free_at_once_and_the_epoch_rises(self, bench: Bench) -> None:
        store = bench.make()
        first = lead(store, "one")

        store.release(first)

        assert lead(bench.make(), "two").epoch > first.epoch

    def test_the_same_owner_that_comes_back_has_a_greater_epoch(self, bench: Bench) -> None:
        store = bench.make()
        first = lead(store, "one")
        store.release(first)

        assert lead(store, "one").epoch > first.epoch

    def test_nobody_takes_over_before_the_lease_has_run_out(self, bench: Bench) -> None:
        first = lead(bench.make(), "one", 1_500)

        second = after(bench.make(), "two")

        assert second.store_now_ms >= first.store_now_ms + 1_500
        assert second.epoch > first.epoch

    def test_a_renewed_lease_outlives_its_first_term(self, bench: Bench) -> None:
        store = bench.make()
        first = lead(store, "one", 1_000)
        renewed = store.renew(first, ttl_ms=TTL_MS)

        assert renewed.epoch == first.epoch
        assert refused(bench.make()).expires_ms >= renewed.store_now_ms + TTL_MS

    def test_the_epoch_never_falls_when_the_store_forgot_everything(self, bench: Bench) -> None:
        first = lead(bench.make(), "one")

        bench.wipe()

        assert lead(bench.make(), "two").epoch > first.epoch

    def test_one_that_was_forgotten_by_the_store_has_lost_its_lease(self, bench: Bench) -> None:
        store = bench.make()
        first = lead(store, "one")

        bench.wipe()

        with pytest.raises(LeaseLost):
            store.renew(first, ttl_ms=TTL_MS)

    def test_another_broker_is_refused_also_when_nobody_leads(self, bench: Bench) -> None:
        store = bench.make()
        store.release(lead(store, "one", fp="aa" * 16))

        assert refused(store, "two", fp="bb" * 16).reason == "other_broker"
        assert ask(store, "one", fp="aa" * 16).store_now_ms

    def test_an_older_snapshot_never_leads(self, bench: Bench) -> None:
        store = bench.make()
        held = rev_text(2, 7)
        assert store.put_snapshot(Sealed(held, b"head", {0: b"rows"}))

        for older in ("", rev_text(1, 900), rev_text(2, 6)):
            refusal = refused(store, "one", rev=older)
            assert (refusal.reason, refusal.rev) == ("older_snapshot", held)

        assert lead(store, "one", rev=held).rev == held

    def test_a_leader_hears_of_a_newer_snapshot_when_it_renews(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store, "one", rev="")
        bench.make().put_snapshot(Sealed(rev_text(1, 4), b"head", {}))

        assert (lease.rev, store.renew(lease, ttl_ms=TTL_MS).rev) == ("", rev_text(1, 4))

    def test_two_groups_have_two_leaders(self, bench: Bench) -> None:
        lead(bench.make(), "one")

        other = bench.make(group="another/group/here")

        assert lead(other, "two").owner == "two"
        other.release(lead(other, "two"))
