"""The brain as a lease store: what one side asks, the other does, whatever lies between."""

from __future__ import annotations

import pytest
from z4j_core.errors import LeaseLost, StoreUnavailable
from z4j_core.scheduler.lease import Claim, Lease, Mark, OpenFire, Outcome, Refusal, RunOf, Stand
from z4j_core.scheduler.leases.brain import BrainStore
from z4j_core.scheduler.leases.calls import PAGE_BYTES, Answer, Op, serve
from z4j_core.wire.codec import pack, unpack
from z4j_core.wire.codes import MAX_RECORD_BYTES

FP = "ab" * 16
LEASE = Lease("me", 7, 0.0, 0, "000001.000000000003")


class Ledger:
    """A store that answers what it was told to and keeps what it was asked."""

    def __init__(self, **answers):
        self._answers = answers
        self.calls = []

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls.append((name, args, kwargs))
            answer = self._answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer(*args) if callable(answer) else answer

        return call


def over(ledger):
    """A client of a brain that has this ledger; every record is packed as on the wire."""
    sizes = []

    def ask(op, args):
        asked = pack(args)
        answer = serve(ledger, op, unpack(asked))
        told = pack(answer)
        sizes.extend((len(asked), len(told)))
        return Answer(*unpack(told))

    store = BrainStore(ask, lambda: 100.0)
    store.sizes = sizes
    return store


def test_a_lease_ends_for_its_owner_two_seconds_before_it_ends_for_the_brain():
    ledger = Ledger(acquire=Lease("me", 7, 0.0, 5_000, "r"), renew=Lease("me", 7, 0.0, 6_000, "s"))
    store = over(ledger)

    acquired = store.acquire("me", ttl_ms=15_000, fp=FP, rev="r")
    renewed = store.renew(acquired, ttl_ms=15_000)

    assert acquired == Lease("me", 7, 113.0, 5_000, "r")
    assert renewed == Lease("me", 7, 113.0, 6_000, "s")
    assert ledger.calls[0] == ("acquire", ("me",), {"ttl_ms": 15_000, "fp": FP, "rev": "r"})


@pytest.mark.parametrize("reason", ["held", "other_broker", "older_snapshot"])
def test_who_is_not_let_in_hears_why_and_until_when(reason):
    refusal = Refusal(reason, 9_000, 5_000, "000002.000000000001")

    assert over(Ledger(acquire=refusal)).acquire("me", ttl_ms=1, fp=FP, rev="") == refusal


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.renew(LEASE, ttl_ms=1),
        lambda store: store.claim(LEASE, [Claim("s", 1, 2, "f", b"")]),
        lambda store: store.settle(LEASE, [Mark("f", "sent")]),
    ],
)
def test_a_lost_lease_is_lost_on_this_side_too(call):
    lost = LeaseLost("another leader")

    with pytest.raises(LeaseLost):
        call(over(Ledger(renew=lost, claim=lost, settle=lost)))


def test_a_brain_that_cannot_is_a_store_that_does_not_answer():
    with pytest.raises(StoreUnavailable, match="the database is gone"):
        over(Ledger(cursors=StoreUnavailable("the database is gone"))).cursors()


def test_what_makes_no_sense_is_answered_and_raises_nothing():
    assert serve(Ledger(), 99, []).status == -4
    assert serve(Ledger(), Op.ACQUIRE, ["me"]).status == -4
    assert serve(Ledger(), Op.FIRE, []).status == -4


def test_claims_marks_and_runs_arrive_as_they_were_said():
    ledger = Ledger(
        claim=[Outcome.CLAIMED, Outcome.TAKEN],
        settle=None,
        run_started=None,
        run_ended=3,
        running=[RunOf("f", 1, 2, started=True)],
        reset_failures=None,
        release=None,
    )
    store = over(ledger)
    claims = [Claim("s", 1, 2, "f", b"\x00record", None), Claim("t", 1, 2, "g", b"", 5)]

    assert store.claim(LEASE, claims) == [Outcome.CLAIMED, Outcome.TAKEN]
    store.settle(LEASE, [Mark("f", "sent", 2)])
    store.run_started("s", "f", started=False)
    assert store.run_ended("s", "f", failed=True) == 3
    assert store.running("s") == [RunOf("f", 1, 2, started=True)]
    store.reset_failures("s")
    store.release(LEASE)

    told = {name: (args, kwargs) for name, args, kwargs in ledger.calls}
    assert told["claim"][0][1] == claims
    assert told["settle"][0][1] == [Mark("f", "sent", 2)]
    assert told["run_started"] == (("s", "f"), {"started": False})
    assert told["run_ended"] == (("s", "f"), {"failed": True})
    assert told["release"][0][0].epoch == LEASE.epoch


def test_lists_longer_than_a_record_come_in_pages_and_whole():
    stands = {f"{n:036d}": Stand(1, n, 2, 0, "success") for n in range(5_000)}
    opened = [
        OpenFire(f"f{n}", "s", 1, n // 2, bytes(4_000), "claimed", 1, 7, n) for n in range(150)
    ]
    store = over(Ledger(cursors=stands, open=opened))

    assert store.cursors() == stands
    assert sorted(store.open()) == sorted(opened)
    assert max(store.sizes) < MAX_RECORD_BYTES


def test_claims_with_large_records_go_in_several_records_and_keep_their_order():
    claims = [Claim(f"s{n}", 1, n, f"f{n}", bytes(4_000), None) for n in range(100)]
    ledger = Ledger(claim=lambda lease, fires: [Outcome.CLAIMED for _ in fires])
    store = over(ledger)

    assert store.claim(LEASE, claims) == [Outcome.CLAIMED] * 100
    assert [claim for _, args, _ in ledger.calls for claim in args[1]] == claims
    assert max(store.sizes) < MAX_RECORD_BYTES
    assert len(ledger.calls) == -(-100 * 4_160 // PAGE_BYTES)


def test_a_brain_has_no_guard_and_the_snapshot_comes_another_way():
    store = over(Ledger())

    assert store.first_start("f", 1)
    assert not store.was_started("f")
    assert store.snapshot() is None
    assert not store.survives_brain


def test_who_waits_is_woken_once():
    store = over(Ledger())
    store.wake()

    assert store.wait(5.0)
    assert not store.wait(0.0)
