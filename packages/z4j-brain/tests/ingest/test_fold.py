"""The fold on its own: what a row becomes does not depend on the way facts arrive."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from z4j_brain.ingest.finish import finish
from z4j_brain.ingest.fold import blank, fold
from z4j_brain.ingest.items import Preview, Task
from z4j_brain.ingest.origins import pack_origin, unpack_origin
from z4j_brain.ingest.plan import ATT, ATTEMPT_SLOTS, COL, SLOTS
from z4j_brain.ingest.rollup import Rollup
from z4j_brain.ingest.rows import AttemptRow, Fields, Meta, TaskRow

T0 = 1_700_000_000_000_000
STATE_OF_KIND = {1: 2, 2: 1, 3: 2, 4: 3, 5: 5, 6: 9, 7: 8, 8: 7, 9: 6, 10: 4, 11: 8, 16: 0}


def fact(kind: int, attempt: int = 1, run: int = 1, at: int = T0, **more: Any) -> Fields:
    item = Task(
        kind, STATE_OF_KIND[kind], at, "celery", "app", "t1", run=run, attempt=attempt, **more
    )
    return msgspec.structs.astuple(item)


def start() -> TaskRow:
    return blank("r" * 24, "p" * 32, "celery", "app", "t1")


def stored(row: TaskRow) -> TaskRow:
    """The row as it comes back from the database."""
    finish(row)
    back = TaskRow(row.values.copy(), unpack_origin(pack_origin(row.origin), SLOTS), new=False)
    for name, part in row.attempts.items():
        origin = unpack_origin(pack_origin(part.origin), ATTEMPT_SLOTS)
        back.attempts[name] = AttemptRow(part.values.copy(), origin, new=False)
    return back


def shown(row: TaskRow) -> tuple[Any, ...]:
    finish(row)
    task = {name: row.values[index] for name, index in COL.items() if name not in {"v", "origin"}}
    parts = {
        name: {column: part.values[i] for column, i in ATT.items() if column != "origin"}
        for name, part in sorted(row.attempts.items())
    }
    rollup = Rollup()
    rollup.add(row, 1)
    counts = {key: bucket.counts for key, bucket in sorted(rollup.buckets.items())}
    return task, parts, counts


@st.composite
def histories(draw: st.DrawFn) -> list[Fields]:
    """Facts of one task, each key stated with one content."""
    names = st.tuples(
        st.integers(1, 2), st.integers(1, 3), st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    )
    keys = draw(st.lists(names, min_size=1, max_size=9, unique=True))
    facts = []
    for run, attempt, kind in keys:
        more: dict[str, Any] = {"name": draw(st.sampled_from(["shop.charge", "shop.mail", None]))}
        for name, values in (
            ("queue", ["mail", "low", None]),
            ("worker", ["a", "b", None]),
            ("root", ["r1", "r2", None]),
            ("tries_left", [0, 3, None]),
            ("eta", [T0 + 5_000, T0 + 9_000, None]),
            ("start", [T0 + 1_000, None]),
            ("enqueued", [T0, T0 + 10, None]),
            ("args", [Preview(0, 2, "[]"), Preview(1, 9, "[1]"), None]),
        ):
            more[name] = draw(st.sampled_from(values))
        if kind in {5, 7}:
            more["exc_type"] = draw(st.sampled_from(["ValueError", "KeyError"]))
        facts.append(fact(kind, attempt, run, T0 + draw(st.integers(0, 9_000)), **more))
    return facts


@settings(max_examples=400, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_order_and_partition_of_facts_folds_to_the_same_row(
    facts: list[Fields], chance: Any, parts: int
) -> None:
    expected, row = start(), start()
    for one in facts:
        fold(expected, one, Meta())

    shuffled = facts[:]
    chance.shuffle(shuffled)
    for index, one in enumerate(shuffled):
        fold(row, one, Meta())
        if index % parts == 0:
            row = stored(row)

    assert shown(row) == shown(expected)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_facts_told_twice_change_nothing(facts: list[Fields]) -> None:
    once, twice = start(), start()
    for one in facts:
        fold(once, one, Meta())

    for one in [*facts, *facts]:
        fold(twice, one, Meta())

    assert shown(twice) == shown(once)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_what_a_row_gains_and_loses_in_the_rollup_sums_to_its_recount(facts: list[Fields]) -> None:
    running, row = Rollup(), start()

    for one in facts:
        running.add(row, -1)
        fold(row, one, Meta())
        row = stored(row)
        running.add(row, 1)

    recount = Rollup()
    recount.add(row, 1)
    assert counted(running) == counted(recount)


def counted(rollup: Rollup) -> dict[Any, Any]:
    """What is not zero."""
    found = {}
    for key, bucket in rollup.buckets.items():
        histograms = [{n: c for n, c in h.items() if c} for h in (bucket.runtime, bucket.wait)]
        if any(bucket.counts) or any(histograms):
            found[key] = (bucket.counts, histograms)
    return found


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([(1, 0), (4, 1), (6, 1)], 9),
        ([(6, 1), (4, 1), (1, 0)], 9),
        ([(4, 1), (10, 1), (6, 1)], 9),
        ([(4, 1), (5, 1), (1, 2)], 5),
        ([(4, 1), (5, 1), (4, 2)], 3),
        ([(7, 1), (16, 2)], 8),
    ],
)
def test_the_newest_rank_of_the_newest_attempt_is_shown(
    facts: list[tuple[int, int]], state: int
) -> None:
    row = start()

    for kind, attempt in facts:
        fold(row, fact(kind, attempt), Meta())

    assert row.values[COL["state"]] == state


def test_a_start_long_after_the_end_is_a_new_run() -> None:
    row = start()
    fold(row, fact(6, 1, run=0, end=T0), Meta())

    fold(row, fact(4, 1, run=0, at=T0 + 60_000_000), Meta())

    assert (row.values[COL["run"]], row.values[COL["state"]]) == (2, 3)


def test_an_end_that_started_long_after_the_last_end_is_a_new_run() -> None:
    row = start()
    later = T0 + 5_000_000
    fold(row, fact(6, run=0, start=T0, end=T0 + 10), Meta())
    fold(row, fact(7, run=0, at=later + 20, start=later, end=later + 20), Meta())

    assert (row.values[COL["run"]], row.values[COL["state"]]) == (2, 8)


def test_an_end_tells_since_when_the_worker_had_the_task() -> None:
    row = start()
    fold(row, fact(6, at=T0 + 30, received=T0, start=T0 + 10, end=T0 + 30), Meta())

    (part,) = row.attempts.values()
    assert part.values[ATT["received"]] == T0
    assert part.values[ATT["started"]] == T0 + 10


def test_a_late_fact_of_a_finished_run_is_not_a_new_run() -> None:
    row = start()
    fold(row, fact(6, 1, run=0, end=T0 + 5_000), Meta())

    fold(row, fact(4, 1, run=0, at=T0), Meta())

    assert (row.values[COL["run"]], row.values[COL["state"]]) == (1, 9)


def test_attempts_without_a_number_are_counted_by_their_starts() -> None:
    row = start()

    for kind, left in ((4, 2), (5, 2), (4, 1), (5, 1), (4, 0), (7, 0)):
        fold(
            row, fact(kind, 0, run=0, tries_left=left, exc_type="E" if kind != 4 else None), Meta()
        )

    assert (row.values[COL["attempt"]], row.values[COL["state"]]) == (3, 8)
    assert [name[1] for name in sorted(row.attempts)] == [1, 2, 3]


def test_an_end_of_no_attempt_ends_the_running_one() -> None:
    row = start()
    fold(row, fact(4, 2), Meta())

    fold(row, fact(8, 0), Meta())

    assert (row.values[COL["attempt"]], row.values[COL["state"]]) == (2, 7)


def test_the_error_of_an_attempt_ends_with_it() -> None:
    row = start()
    fold(row, fact(5, 1, exc_type="ValueError"), Meta())

    fold(row, fact(4, 2), Meta())

    assert row.values[COL["exc_type"]] is None
    assert row.attempts[1, 1].values[ATT["exc_type"]] == "ValueError"


def test_a_second_copy_of_a_fire_that_is_sent_late_is_not_a_new_run() -> None:
    row = start()
    fold(row, fact(6, 1, run=0, end=T0), Meta())

    fold(row, fact(1, 0, run=0, at=T0 + 5_000_000, via=3), Meta())

    assert (row.values[COL["run"]], row.values[COL["state"]]) == (1, 9)
