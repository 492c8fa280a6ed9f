"""Claims and what becomes of them. The rule: a slot has one claim, whoever leads."""

from __future__ import annotations

import pytest
from z4j_core.scheduler.lease import Mark, OpenFire, Outcome, Stand

from .bench import SLOT_MS, Bench, lead, schedule, slot


class TestClaims:
    """Cursors, open fires and marks."""

    def test_a_slot_is_claimed_once_whoever_leads(self, bench: Bench) -> None:
        one, two = bench.make(), bench.make()
        first = lead(one, "one")
        assert one.claim(first, [slot(0, 5)]) == [Outcome.CLAIMED]
        one.release(first)
        second = lead(two, "two")

        assert two.claim(second, [slot(0, 5)]) == [Outcome.TAKEN]
        assert two.claim(second, [slot(0, 4)]) == [Outcome.TAKEN]
        assert two.claim(second, [slot(0, 6)]) == [Outcome.CLAIMED]

    def test_a_claim_whose_answer_was_lost_is_answered_the_same_again(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)
        fires = [slot(0, max_fires=1), slot(1)]

        assert store.claim(lease, fires) == store.claim(lease, fires) == [Outcome.CLAIMED] * 2
        assert store.cursors()[schedule(0)].fires == 1

        store.settle(lease, [Mark(fires[0].fire_id, "sent")])
        assert store.claim(lease, fires) == [Outcome.TAKEN, Outcome.CLAIMED]

    def test_there_is_one_outcome_per_claim_in_their_order(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)
        store.claim(lease, [slot(0, 9), slot(1, generation=4), slot(2, max_fires=1)])
        store.settle(lease, [Mark(slot(0, 9).fire_id, "sent")])

        outcomes = store.claim(
            lease, [slot(2, 1, max_fires=1), slot(3), slot(0, 9), slot(1, 7, generation=3)]
        )

        assert outcomes == [Outcome.SPENT, Outcome.CLAIMED, Outcome.TAKEN, Outcome.STALE]

    def test_a_stale_generation_never_fires_and_a_newer_one_begins_anew(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)
        store.claim(lease, [slot(0, 30, generation=2)])

        assert store.claim(lease, [slot(0, 60, generation=1)]) == [Outcome.STALE]
        assert store.claim(lease, [slot(0, 60, generation=3)]) == [Outcome.CLAIMED]
        assert store.cursors()[schedule(0)] == Stand(3, SLOT_MS + 3_600_000, 1)

    def test_an_edit_does_not_fire_again_what_was_claimed_before_it(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)
        store.claim(lease, [slot(0, 30, generation=2)])

        assert store.claim(lease, [slot(0, 30, generation=3)]) == [Outcome.TAKEN]
        assert store.claim(lease, [slot(0, 10, generation=3)]) == [Outcome.TAKEN]
        assert [fire.generation for fire in store.open()] == [2]

    def test_max_fires_bounds_the_claims_of_a_generation(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)

        told = [store.claim(lease, [slot(0, minute, max_fires=2)])[0] for minute in range(3)]

        assert told == [Outcome.CLAIMED, Outcome.CLAIMED, Outcome.SPENT]
        assert store.cursors()[schedule(0)] == Stand(1, SLOT_MS + 60_000, 2)
        again = slot(0, 9, generation=2, max_fires=2)
        assert store.claim(lease, [again]) == [Outcome.CLAIMED]

    def test_what_was_refused_leaves_no_open_fire(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)

        store.claim(lease, [slot(0, max_fires=0), slot(1)])

        assert [fire.schedule for fire in store.open()] == [schedule(1)]
        assert schedule(0) not in store.cursors()

    def test_a_later_leader_finds_open_fires_as_they_were_claimed(self, bench: Bench) -> None:
        one, two = bench.make(), bench.make()
        first = lead(one, "one")
        one.claim(first, [slot(0, 3), slot(1, 1)])
        one.release(first)
        lead(two, "two")

        found = list(two.open())

        later, earlier = slot(0, 3), slot(1, 1)
        assert found == [
            OpenFire(claim.fire_id, claim.schedule, 1, claim.slot_ms, claim.record, "claimed", 1,
                     first.epoch, fire.claimed_ms)
            for claim, fire in zip((earlier, later), found, strict=True)
        ]  # fmt: skip
        assert all(fire.claimed_ms >= first.store_now_ms for fire in found)

    def test_a_buffered_fire_stays_open_and_every_other_mark_settles(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)
        fires = [slot(number) for number in range(5)]
        store.claim(lease, fires)

        states = ("buffered", "sent", "failed", "dropped")
        store.settle(
            lease,
            [Mark(fire.fire_id, state, 3) for fire, state in zip(fires, states, strict=False)],
        )

        assert {(fire.fire_id, fire.state, fire.enq) for fire in store.open()} == {
            (fires[0].fire_id, "buffered", 3),
            (fires[4].fire_id, "claimed", 1),
        }
        store.settle(lease, [Mark(fires[0].fire_id, "sent", 4)])
        assert [fire.fire_id for fire in store.open()] == [fires[4].fire_id]

    def test_a_mark_for_a_fire_that_is_not_open_does_nothing(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)

        store.settle(lease, [Mark(slot(0).fire_id, state) for state in ("buffered", "sent")])

        assert list(store.open()) == []

    def test_a_schedule_is_in_a_call_once_and_a_call_has_an_end(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)

        for wrong in ([slot(0, 1), slot(0, 2)], [slot(number) for number in range(501)],
                      [slot(0, record=bytes(4_097))]):  # fmt: skip
            with pytest.raises(ValueError, match=r"claims|twice|record"):
                store.claim(lease, wrong)

        assert store.cursors() == {}
        assert store.claim(lease, []) == []
        assert store.claim(lease, [slot(0, record=bytes(4_096))]) == [Outcome.CLAIMED]

    def test_ids_and_records_of_any_bytes_come_back_as_they_were(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)
        claim = slot(0, record=bytes(range(256)))._replace(schedule="a:b 'ü'\n:1")

        store.claim(lease, [claim])

        (fire,) = store.open()
        assert (fire.schedule, fire.record) == (claim.schedule, claim.record)
        assert claim.schedule in store.cursors()

    def test_slots_before_the_epoch_are_slots(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)
        early = slot(0)._replace(slot_ms=-60_000)

        assert store.claim(lease, [early]) == [Outcome.CLAIMED]
        assert store.cursors()[schedule(0)].slot_ms == -60_000
        assert store.claim(lease, [early._replace(slot_ms=0)]) == [Outcome.CLAIMED]
