"""Many at once. The rule: at any instant one leads, and no slot is claimed twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from typing import NamedTuple

from z4j_core.errors import LeaseLost, StoreError
from z4j_core.scheduler.lease import Lease, Outcome

from ..crowd import at_once
from .bench import Bench, Maker, ask, lead, schedule, slot

_TERMS = 25
_SLOTS = 400


class Term(NamedTuple):
    """One time of leading, by the store's clock, and what was claimed in it."""

    owner: str
    epoch: int
    from_ms: int
    to_ms: int
    claimed: tuple[int, ...]


def race(make: Maker, owner: str, terms: int) -> list[Term]:
    """Lead again and again, claiming the next slots each time. Called in another process."""
    store = make()
    found: list[Term] = []
    minute = 0
    while len(found) < terms and minute < _SLOTS:
        lease = ask(store, owner, 2_000)
        if not isinstance(lease, Lease):
            store.wait(0.05)
            continue
        stand = store.cursors().get(schedule(0))
        minute = 0 if stand is None else stand.fires
        try:
            told = [store.claim(lease, [slot(0, each)])[0] for each in (minute, minute + 1)]
            last = store.renew(lease, ttl_ms=2_000)
            store.release(last)
        except LeaseLost:
            continue
        claimed = [minute + n for n, one in enumerate(told) if one is Outcome.CLAIMED]
        found.append(
            Term(owner, lease.epoch, lease.store_now_ms, last.store_now_ms, tuple(claimed))
        )
    store.close()
    return found


class TestRacing:
    """Threads and processes."""

    def test_of_two_processes_exactly_one_leads_at_any_instant(self, bench: Bench) -> None:
        with get_context("spawn").Pool(2) as pool:
            asked = [(bench.make, owner, _TERMS) for owner in ("one", "two")]
            terms = [term for found in pool.starmap(race, asked) for term in found]

        terms.sort(key=lambda term: term.epoch)
        assert {term.owner for term in terms} == {"one", "two"}
        assert len({term.epoch for term in terms}) == len(terms)
        for earlier, later in pairwise(terms):
            assert earlier.to_ms <= later.from_ms
        claimed = [minute for term in terms for minute in term.claimed]
        assert claimed == sorted(set(claimed))
        assert len(claimed) == 2 * len(terms)

    def test_of_many_threads_that_ask_at_once_one_leads(self, bench: Bench) -> None:
        stores = [bench.make() for _ in range(4)]

        found = at_once([partial(ask, store, f"owner {n}") for n, store in enumerate(stores)])

        assert sum(isinstance(answer, Lease) for answer in found) == 1

    def test_one_store_serves_threads_that_claim_renew_and_look(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)

        def work(number: int) -> list[Outcome]:
            store.renew(lease, ttl_ms=60_000)
            store.run_started(schedule(number), slot(number).fire_id, started=True)
            return store.claim(lease, [slot(number, each) for each in (0,)])

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(work, range(64)))

        assert found == [[Outcome.CLAIMED]] * 64
        assert len(store.cursors()) == len(list(store.open())) == 64

    def test_a_slot_claimed_by_many_threads_at_once_is_claimed_for_one_schedule_once(
        self, bench: Bench
    ) -> None:
        store = bench.make()
        lease = lead(store)

        def work(minute: int) -> Outcome:
            return store.claim(lease, [slot(0, minute, max_fires=3)])[0]

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(work, range(16)))

        assert found.count(Outcome.CLAIMED) == store.cursors()[schedule(0)].fires <= 3

    def test_closing_twice_is_closing(self, bench: Bench) -> None:
        store = bench.make()
        store.wake()
        store.close()
        store.close()
        assert issubclass(LeaseLost, StoreError)
