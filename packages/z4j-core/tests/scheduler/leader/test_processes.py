"""Two real processes and a real store: killed, stopped, cut off, told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from z4j_core.clock import SystemClock
from z4j_core.scheduler.fires import fire_id
from z4j_testing.services import redis_url
from z4j_testing.signals import eventually

APP = Path(__file__).with_name("leading_app.py")
TTL_MS = 5_000
SLOT_MS = 200


SCHEDULE = "00000000-0000-0000-0000-000000000001"


class Line(NamedTuple):
    """What a process placed, or that it leads (`fire` is `!`)."""

    fire: str
    epoch: int
    pid: int
    at: int
    enq: int


class Pair:
    """Two processes that may lead one group."""

    def __init__(self, url, out, created_ms):
        self.out = out
        self.created_ms = created_ms
        command = [sys.executable, str(APP), url, str(out), str(TTL_MS), str(created_ms), "0.2"]
        self.all = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(2)]

    def lines(self):
        if not self.out.exists():
            return []
        rows = self.out.read_text().splitlines()
        return [Line(row.split()[0], *map(int, row.split()[1:])) for row in rows]

    def fires(self):
        return [line for line in self.lines() if line.fire != "!"]

    def leader(self):
        pid = eventually(
            lambda: next((x.pid for x in reversed(self.lines()) if x.fire == "!"), 0), "a leader"
        )
        return next(process for process in self.all if process.pid == pid)

    def other(self, leader):
        return next(process for process in self.all if process is not leader)

    def began(self, process):
        """When a process began to lead."""
        leads = [("!", process.pid)]
        return eventually(
            lambda: next((x.at for x in self.lines() if (x.fire, x.pid) in leads), None),
            f"process {process.pid} to lead",
        )

    def fired_by(self, process, after=0, count=3):
        return eventually(
            lambda: (
                len([x for x in self.fires() if x.pid == process.pid and x.at > after]) >= count
            ),
            f"fires of process {process.pid}",
        )

    def end(self):
        for process in self.all:
            process.kill()
            process.wait()
            process.stdin.close()


def now_ms():
    return SystemClock().wall_us() // 1000


@pytest.fixture(params=["redis", "file"])
def pair(request, tmp_path):
    if request.param == "redis":
        url = f"{redis_url()}#test/{os.urandom(6).hex()}/a"
    else:
        url = str(tmp_path / "leases")
    made = Pair(url, tmp_path / "placed", now_ms())
    yield made
    made.end()


def no_slot_is_lost_or_fired_twice(pair):
    """Every slot from the first to the last was placed; a second copy has another number."""
    fires = pair.fires()
    first = pair.created_ms // SLOT_MS * SLOT_MS
    names = {fire_id(SCHEDULE, 1, slot): slot for slot in range(first, now_ms(), SLOT_MS)}
    by_slot = {}
    for fire in fires:
        by_slot.setdefault(names[fire.fire], []).append(fire)
    slots = sorted(by_slot)
    assert slots == list(range(slots[0], slots[-1] + 1, SLOT_MS))
    for slot in slots:
        copies = by_slot[slot]
        assert len({copy.fire for copy in copies}) == 1
        assert len({copy.enq for copy in copies}) == len(copies)
    return len(slots)


def test_when_the_leader_is_killed_the_other_goes_on_within_the_lease(pair, record_property):
    first = pair.leader()
    pair.fired_by(first)
    killed = now_ms()
    first.kill()
    other = pair.other(first)

    pair.fired_by(other)

    took = pair.began(other) - killed
    record_property("figures", f"taken over after {took} ms, ttl {TTL_MS} ms")
    assert took <= TTL_MS + 1_000
    assert no_slot_is_lost_or_fired_twice(pair) >= 6


@pytest.mark.parametrize("pair", ["redis"], indirect=True)  # SQLite stays locked by who is stopped
def test_a_leader_that_was_stopped_for_longer_than_its_lease_places_nothing_any_more(pair):
    first = pair.leader()
    pair.fired_by(first)
    other = pair.other(first)
    first.send_signal(signal.SIGSTOP)
    pair.fired_by(other)
    goes_on = now_ms()

    first.send_signal(signal.SIGCONT)
    pair.fired_by(other, after=goes_on, count=8)

    assert [x for x in pair.fires() if x.pid == first.pid and x.at > goes_on + 50] == []
    assert no_slot_is_lost_or_fired_twice(pair) >= 8


def test_a_leader_that_is_cut_off_from_its_store_stops_before_another_begins(pair):
    first = pair.leader()
    pair.fired_by(first)
    other = pair.other(first)

    first.stdin.write("cut\n")
    first.stdin.flush()
    pair.fired_by(other)

    begins = pair.began(other)
    last = max(x.at for x in pair.fires() if x.pid == first.pid)
    assert last < begins
    no_slot_is_lost_or_fired_twice(pair)


def test_a_leader_that_is_told_to_stop_hands_over_within_a_second(pair, record_property):
    first = pair.leader()
    pair.fired_by(first)
    other = pair.other(first)
    asked = now_ms()

    first.stdin.write("stop\n")
    first.stdin.flush()
    pair.fired_by(other)

    took = pair.began(other) - asked
    record_property("figures", f"handed over in {took} ms")
    assert took < 3_000
    no_slot_is_lost_or_fired_twice(pair)
