"""Histograms add up and answer quantiles within one bucket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from z4j_brain.db import histogram

DURATIONS = st.lists(st.integers(1, 10**10), min_size=1, max_size=60)


def of(durations: list[int]) -> histogram.Histogram:
    counts: histogram.Histogram = {}
    for us in durations:
        bucket = histogram.bucket_of(us)
        counts[bucket] = counts.get(bucket, 0) + 1
    return counts


@given(DURATIONS, DURATIONS)
def test_merging_is_the_histogram_of_both(one: list[int], other: list[int]) -> None:
    merged = histogram.merge([histogram.encode(of(one)), None, histogram.encode(of(other))])

    assert merged == of([*one, *other])


@given(DURATIONS, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_within_one_bucket_of_the_truth(durations: list[int], q: float) -> None:
    rank = max(1, -(-int(q * 100) * len(durations) // 100))
    truth = sorted(durations)[rank - 1]

    found = histogram.quantile(of(durations), q)

    assert found is not None
    assert truth / 1.22 <= found <= truth * 1.22
