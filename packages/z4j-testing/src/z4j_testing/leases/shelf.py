"""The snapshot on its shelf. The rule: only a newer one replaces it, and what changed moves."""

from __future__ import annotations

from z4j_core.scheduler.lease import Sealed, rev_text

from .bench import Bench


class TestSnapshot:
    """Keeping what is sealed."""

    def test_there_is_none_before_one_was_put(self, bench: Bench) -> None:
        assert bench.make().snapshot() is None

    def test_it_comes_back_byte_by_byte(self, bench: Bench) -> None:
        sealed = Sealed(rev_text(1, 1), bytes(range(256)), {0: b"\x00", 255: bytes(100_000)})

        assert bench.make().put_snapshot(sealed)

        assert bench.make().snapshot() == sealed

    def test_only_a_newer_one_is_kept(self, bench: Bench) -> None:
        store = bench.make()
        newest = Sealed(rev_text(2, 10), b"new", {1: b"new"})
        store.put_snapshot(newest)

        for rev in (rev_text(2, 10), rev_text(2, 9), rev_text(1, 999)):
            assert not store.put_snapshot(Sealed(rev, b"old", {1: b"old"}))

        assert store.snapshot() == newest
        assert store.put_snapshot(Sealed(rev_text(3, 1), b"newer", {}))

    def test_buckets_that_were_not_given_stay(self, bench: Bench) -> None:
        store = bench.make()
        store.put_snapshot(Sealed(rev_text(1, 1), b"one", {1: b"a", 2: b"b"}))

        store.put_snapshot(Sealed(rev_text(1, 2), b"two", {2: b"c", 200: b"d"}))

        found = {1: b"a", 2: b"c", 200: b"d"}
        assert bench.make().snapshot() == Sealed(rev_text(1, 2), b"two", found)
