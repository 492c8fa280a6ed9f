"""Calls in threads: one that never ends is given up, and costs nobody else anything."""

import threading
import time
from collections import Counter

import pytest
from z4j_core.scheduler.leader.fan import AT_A_TIME, Threads

BLOCKED_S = 0.2


@pytest.fixture
def gate():
    """What calls wait for that do not come back; opened at the end."""
    opened = threading.Event()
    yield opened
    opened.set()


def answers(fan, call, items, within_s=30.0):
    return Counter(found for found in fan(call, items, "late", within_s) if found is not None)


def test_every_item_is_called_once_and_answered():
    items = list(range(500))

    found = answers(Threads(time.monotonic), lambda item: item * 2, items)

    assert found == Counter((item, item * 2) for item in items)


def test_calls_that_do_not_come_back_are_answered_and_others_go_on(gate):
    def call(item):
        if item < 2 * AT_A_TIME:
            gate.wait()
        return "done"

    fan, items = Threads(time.monotonic), list(range(4 * AT_A_TIME))
    found = answers(fan, call, items, BLOCKED_S)

    late = {item for item, answer in found if answer == "late"}
    assert late == set(range(2 * AT_A_TIME))
    assert sum(found.values()) == len(items)
    assert answers(fan, str, [1]) == {(1, "1"): 1}


def test_a_single_call_that_does_not_come_back_does_not_hold_the_leader(gate):
    fan = Threads(time.monotonic)

    assert answers(fan, lambda _: gate.wait(), ["a"], BLOCKED_S) == {("a", "late"): 1}
    assert answers(fan, str, [1]) == {(1, "1"): 1}


def test_whoever_stops_listening_leaves_the_rest_uncalled(gate):
    called, begun = [], threading.Semaphore(0)

    def call(item):
        called.append(item)
        begun.release()
        gate.wait()

    fan = Threads(time.monotonic)
    listening = fan(call, list(range(3 * AT_A_TIME)), None, 30.0)
    assert next(listening) is None
    for _ in range(AT_A_TIME):
        assert begun.acquire(timeout=30)
    listening.close()
    gate.set()

    assert answers(fan, str, [1]) == {(1, "1"): 1}
    assert len(called) == AT_A_TIME
