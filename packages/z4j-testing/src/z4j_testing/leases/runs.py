"""Runs and failures. The rule: a run ends once, and one nobody sees is taken for ended."""

from __future__ import annotations

from ..signals import eventually
from .bench import Bench, lead, schedule, slot

_NAME = schedule(0)


def _fire(minute: int) -> str:
    return slot(0, minute).fire_id


class TestRuns:
    """What workers tell."""

    def test_a_fire_that_was_sent_is_a_run_that_has_not_started(self, bench: Bench) -> None:
        store = bench.make()
        store.run_started(_NAME, _fire(0), started=False)

        (run,) = bench.make().running(_NAME)

        assert (run.fire_id, run.started, run.since_ms) == (_fire(0), False, run.seen_ms)

    def test_a_run_seen_again_is_the_same_run(self, bench: Bench) -> None:
        store = bench.make()
        store.run_started(_NAME, _fire(0), started=True)
        (before,) = store.running(_NAME)

        def later() -> bool:
            store.run_started(_NAME, _fire(0), started=False)
            return store.running(_NAME)[0].seen_ms > before.seen_ms

        assert eventually(later, "a later sight")
        (run,) = store.running(_NAME)
        assert (run.since_ms, run.started) == (before.since_ms, True)

    def test_runs_of_other_schedules_are_not_among_them(self, bench: Bench) -> None:
        store = bench.make()
        store.run_started(_NAME, _fire(0), started=True)

        assert store.running(schedule(1)) == []

    def test_a_run_that_was_not_seen_is_not_among_them(self, bench: Bench) -> None:
        store = bench.make(unseen_ms=1)
        store.run_started(_NAME, _fire(0), started=True)

        assert eventually(lambda: not store.running(_NAME), "the run to be given up")

    def test_a_run_ends_and_its_end_counts_once(self, bench: Bench) -> None:
        store = bench.make()
        store.run_started(_NAME, _fire(0), started=True)

        told = [store.run_ended(_NAME, _fire(0), failed=True) for _ in range(2)]

        assert told == [1, 1]
        assert store.running(_NAME) == []

    def test_a_start_that_is_told_after_the_end_is_no_run(self, bench: Bench) -> None:
        store = bench.make()
        store.run_ended(_NAME, _fire(0), failed=False)

        store.run_started(_NAME, _fire(0), started=True)

        assert store.running(_NAME) == []

    def test_failures_in_a_row_are_counted_and_a_success_ends_the_row(self, bench: Bench) -> None:
        store = bench.make()
        lease = lead(store)
        store.claim(lease, [slot(0)])
        ends = (True, True, False, True)

        told = [store.run_ended(_NAME, _fire(n), failed=failed) for n, failed in enumerate(ends)]

        assert told == [1, 2, 0, 1]
        stand = store.cursors()[_NAME]
        assert (stand.failures, stand.last, stand.fires) == (1, "failed", 1)
        store.claim(lease, [slot(0, 1, generation=2)])
        stand = store.cursors()[_NAME]
        assert (stand.failures, stand.last, stand.fires) == (1, "failed", 1)

    def test_an_operator_who_resumes_starts_the_count_anew(self, bench: Bench) -> None:
        store = bench.make()
        store.claim(lead(store), [slot(0)])
        store.run_ended(_NAME, _fire(0), failed=True)

        store.reset_failures(_NAME)
        store.reset_failures(schedule(1))

        assert store.cursors()[_NAME].failures == 0
        assert store.run_ended(_NAME, _fire(1), failed=True) == 1

    def test_a_schedule_that_never_claimed_has_no_stand(self, bench: Bench) -> None:
        store = bench.make()
        store.run_ended(_NAME, _fire(0), failed=False)

        assert store.cursors() == {}
