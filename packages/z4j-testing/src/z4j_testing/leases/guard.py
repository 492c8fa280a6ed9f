"""The guard. The rule: a second copy of a fire does not run, a redelivered one does."""

from __future__ import annotations

from ..signals import eventually
from .bench import Bench, slot

_FIRE = slot(0).fire_id


class TestGuard:
    """First starts."""

    def test_another_attempt_to_enqueue_the_same_fire_is_suppressed(self, bench: Bench) -> None:
        one, two = bench.make(), bench.make()

        assert one.first_start(_FIRE, 1)
        assert not two.first_start(_FIRE, 2)

    def test_the_same_attempt_passes_however_often_it_is_delivered(self, bench: Bench) -> None:
        one, two = bench.make(), bench.make()

        assert [store.first_start(_FIRE, 2) for store in (one, two, one)] == [True] * 3
        assert not one.first_start(_FIRE, 1)

    def test_it_says_whether_a_fire_was_ever_started(self, bench: Bench) -> None:
        store = bench.make()
        assert not store.was_started(_FIRE)

        store.first_start(_FIRE, 1)

        assert bench.make().was_started(_FIRE)
        assert not store.was_started(slot(1).fire_id)

    def test_a_start_that_is_forgotten_lets_the_next_copy_run(self, bench: Bench) -> None:
        store = bench.make()
        store.first_start(_FIRE, 1)

        store.forget_start(_FIRE)

        assert not store.was_started(_FIRE)
        assert store.first_start(_FIRE, 2)

    def test_it_remembers_for_as_long_as_it_was_told(self, bench: Bench) -> None:
        store = bench.make(guard_s=1)
        store.first_start(_FIRE, 1)
        assert not store.first_start(_FIRE, 2)

        assert eventually(lambda: not store.was_started(_FIRE), "the guard to forget")
        assert store.first_start(_FIRE, 2)

    def test_it_needs_no_leader(self, bench: Bench) -> None:
        assert bench.make().first_start(slot(3).fire_id, 1)
