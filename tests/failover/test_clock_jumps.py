"""The wall clock of a leader jumps by an hour and by a year. The rule: slots are the store's time.

Its boot clock goes right, as that of a machine does whose wall clock is set.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest
from failover_books import incomplete
from failover_group import Group, now_ms
from failover_place import Place

HOUR_S, YEAR_S = 3_600, 365 * 86_400
never = threading.Event()
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


class Lying:
    """A wall clock that is set at will, for processes with `env`."""

    def __init__(self, home):
        library = next(Path("/usr/lib").glob("*-linux-gnu*/faketime/libfaketimeMT.so.1"), None)
        if library is None:
            pytest.skip("libfaketime is not installed")
        self._path = home / "offset"
        self.env = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_CACHE_DURATION": "1", "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip
        self.jump(0)

    def jump(self, seconds):
        self._path.write_text(f"{seconds:+d}s\n")


@pytest.fixture
def lying(tmp_path):
    return Lying(tmp_path)


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S, YEAR_S, -YEAR_S])
def test_a_leader_whose_clock_jumps_fires_every_slot_on_time_and_once(
    tmp_path, lying, by_s, record_property
):
    with Place(tmp_path / "place") as place, Group(place, "shop", ttl_s=5) as group:
        group.lies = lying.env
        group.start(candidates=2)
        word, _ = group.settled()
        lying.jump(by_s)
        jumped = now_ms()
        never.wait(20)
        lying.jump(0)
        never.wait(5)
        until = now_ms()
        books = group.books(until)
        told = [incomplete(place.brain, plan, until) for plan in group.plans]
        late = [lag for lag in books.lags[-1:] if lag > until - jumped]
        leads = group.leader()

    assert (books.lost, books.doubled, told, late) == ([], [], [[], []], [])
    assert leads is not None
    assert leads[0].epoch == word.epoch, "the leader that was there all the time"
    record_property(
        "figures", f"clock of the leaders {by_s:+d} s: {books.due} slots due, 0 lost, 0 doubled"
    )


@pytest.mark.parametrize("by_s", [HOUR_S, YEAR_S])
def test_a_store_whose_clock_jumps_ahead_and_back_fires_no_slot_of_the_future(
    tmp_path, lying, by_s, record_property
):
    with (
        Place(tmp_path / "place") as place,
        Group(place, "shop", "apart", 5, lease_env=lying.env) as group,
    ):
        group.start(candidates=2)
        group.settled()
        lying.jump(by_s)
        never.wait(15)
        lying.jump(0)
        back = now_ms()
        with contextlib.suppress(AssertionError):
            group.follower(group.leader()[0] if group.leader() else group.settled()[0], 20)
        never.wait(20)
        until = now_ms()
        books = group.books(until)
        runs = group.runs.read()

    assert books.doubled == []
    assert books.lost == []
    assert group.ran_since(back) is not None
    known = {fire for plan in group.plans for fire in plan.slots(until + 60_000)}
    assert {run.fire for run in runs} <= known
    record_property(
        "figures",
        f"clock of the store {by_s:+d} s for 15 s: {books.due} slots due, 0 lost, 0 doubled",
    )
