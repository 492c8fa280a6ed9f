"""A hundred thousand hostile inputs: only declared errors, in bounded time and memory."""

import random
import resource
import time

import pytest
from decoders import DECODERS, feed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from z4j_testing.accidents import mutated

EXAMPLES, ROUNDS = 200, 100
MORE_MIB = 16
_total = []


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_only_declared_errors_leave_a_decoder(decoder, record_property):
    spent, fed = [], []
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.binary(max_size=300), st.integers(0, 2**32), st.sampled_from(decoder.samples))
    def look(anything, seed, sample):
        rng = random.Random(seed)
        inputs = [anything, sample + anything]
        inputs += [mutated(rng, sample) for _ in range(ROUNDS - 2)]
        for data in inputs:
            began = time.thread_time()
            fed.append(feed(decoder, data))
            spent.append(time.thread_time() - began)

    look()

    spent.sort()
    p99_ms = spent[len(spent) * 99 // 100] * 1000
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held
    record_property("figures", f"{decoder.name}: {len(fed)} inputs, p99 {p99_ms:.3f} ms")
    _total.append(len(fed))
    assert p99_ms < 1
    assert more < MORE_MIB * 1024
    assert any(fed)


def test_the_inputs_were_a_hundred_thousand():
    if len(_total) < len(DECODERS):
        pytest.skip("only some of the decoders were run")
    assert sum(_total) >= 100_000
