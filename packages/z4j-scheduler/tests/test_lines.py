"""What a scheduler tells: in order, once, and before anything is settled."""

from __future__ import annotations

import pytest
from z4j_core.errors import LeaseLost, StoreUnavailable
from z4j_core.model.fires import Status, Why
from z4j_core.scheduler.leader import FireFact
from z4j_core.scheduler.lease import Claim, Lease, Mark, Outcome
from z4j_core.scheduler.leases.calls import Answer, Op
from z4j_scheduler.lines import AT_ONCE, Lines
from z4j_scheduler.store import CentralStore, Named

SCHEDULE = "01950000-0000-7000-8000-000000000000"
LEASE = Lease("owner", 7, 100.0, 0)


def fact(status, slot_ms=60_000, **more):
    return FireFact(
        slot_ms, SCHEDULE, 1, slot_ms, f"fire-{slot_ms}", status, Why.TIMER, 7, 3, slot_ms, **more
    )


class Brain:
    """Answers operations and remembers them."""

    def __init__(self, **answers):
        self.asked = []
        self.answers = {Op[name]: list(given) for name, given in answers.items()}

    def __call__(self, op, args):
        self.asked.append((op, args))
        given = self.answers.get(op)
        return given.pop(0) if given else Answer(0, [])

    def told(self):
        return [row[3] for op, args in self.asked if op == Op.TELL for row in args[2]]


def test_what_an_agent_tells_is_not_told_here():
    brain = Brain()
    lines = Lines(brain)
    for status in Status:
        lines.add(fact(status, slot_ms=int(status) * 1000))
    lines.send("owner", 7)

    silent = {int(status) * 1000 for status in (Status.CLAIMED, Status.SENT)}
    assert set(brain.told()) == {int(status) * 1000 for status in Status} - silent
    assert len(lines) == 0


def test_many_lines_go_in_parts_and_in_order():
    brain = Brain()
    lines = Lines(brain)
    for number in range(AT_ONCE + 1):
        lines.add(fact(Status.SKIPPED, number))
    lines.send("owner", 7)

    assert brain.told() == list(range(AT_ONCE + 1))
    assert [len(args[2]) for _, args in brain.asked] == [AT_ONCE, 1]


def test_what_was_not_stored_is_kept_for_the_next_time():
    brain = Brain(TELL=[Answer(-4, ["away"])])
    lines = Lines(brain)
    lines.add(fact(Status.MISSED, count_=3))

    with pytest.raises(StoreUnavailable):
        lines.send("owner", 7)
    lines.send("owner", 7)

    assert brain.told() == [60_000, 60_000]
    assert len(lines) == 0


def test_a_deposed_leader_tells_nothing_more():
    brain = Brain(TELL=[Answer(-1, [])])
    lines = Lines(brain)
    lines.add(fact(Status.FAILED))

    with pytest.raises(LeaseLost):
        lines.send("owner", 7)

    assert len(lines) == 0


def store_of(brain):
    lines = Lines(brain)
    return CentralStore(brain, lambda: 50.0, lines), lines


def test_nothing_is_settled_before_it_was_told():
    brain = Brain(TELL=[Answer(-4, ["away"])])
    store, lines = store_of(brain)
    lines.add(fact(Status.FAILED))

    with pytest.raises(StoreUnavailable):
        store.settle(LEASE, [Mark("fire-60000", "failed")])
    store.settle(LEASE, [Mark("fire-60000", "failed")])

    assert [op for op, _ in brain.asked] == [Op.TELL, Op.TELL, Op.SETTLE]


def test_a_claimed_slot_is_known_by_its_fire_until_it_is_settled():
    brain = Brain(CLAIM=[Answer(0, [[1, 0]])])
    store, _ = store_of(brain)
    claims = [Claim(SCHEDULE, 1, slot, f"fire-{slot}", b"") for slot in (1_000, 2_000)]
    outcomes = store.claim(LEASE, claims)
    known = dict(store.slots)
    store.settle(LEASE, [Mark("fire-1000", "sent")])

    assert outcomes == [Outcome.CLAIMED, Outcome.TAKEN]
    assert known == {"fire-1000": Named(SCHEDULE, 1, 1_000)}
    assert store.slots == {}


def test_a_fire_that_waits_for_others_is_still_known():
    brain = Brain(CLAIM=[Answer(0, [[1]])])
    store, _ = store_of(brain)
    store.claim(LEASE, [Claim(SCHEDULE, 1, 1_000, "fire-1000", b"")])
    store.settle(LEASE, [Mark("fire-1000", "buffered")])

    assert "fire-1000" in store.slots


def test_what_another_left_open_is_known_by_its_fire():
    row = ["fire-9", SCHEDULE, 2, 9_000, b"", "claimed", 1, 5, 9_100]
    store, _ = store_of(Brain(OPEN=[Answer(0, [[row], None])]))
    store.open()

    assert store.slots == {"fire-9": Named(SCHEDULE, 2, 9_000)}


def test_a_lost_lease_is_no_right_any_more_and_one_that_is_in_doubt_still_is():
    granted = Answer(0, [7, 15_000, 0, "r"])
    brain = Brain(ACQUIRE=[granted], RENEW=[Answer(-4, ["away"]), Answer(-1, [])])
    store, _ = store_of(brain)
    lease = store.acquire("owner", ttl_ms=15_000, fp="ab" * 16, rev="r")
    with pytest.raises(StoreUnavailable):
        store.renew(lease, ttl_ms=15_000)
    in_doubt = store.lease
    with pytest.raises(LeaseLost):
        store.renew(lease, ttl_ms=15_000)

    assert in_doubt is not None
    assert store.lease is None


def test_runs_are_the_brains_to_note():
    brain = Brain()
    store, _ = store_of(brain)
    store.run_started(SCHEDULE, "fire-1", started=True)
    store.reset_failures(SCHEDULE)

    assert store.run_ended(SCHEDULE, "fire-1", failed=True) == 0
    assert brain.asked == []
