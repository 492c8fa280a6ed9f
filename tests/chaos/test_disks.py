"""A disk is full, at the agent's end or at the brain's. The rule: one line, and nothing is lost
that is not counted.
"""

from __future__ import annotations

import os
import threading

import pytest
from chaos_disk import filled, small_disk
from chaos_hosts import Place, balances
from z4j_testing.signals import eventually

FULL_S = float(os.environ.get("Z4J_CHAOS_FULL_S", "60"))
RATE = 500
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
never = threading.Event()


@pytest.fixture
def small(tmp_path):
    with small_disk(tmp_path / "small", "160m") as disk:
        yield disk


def test_a_full_disk_of_the_brain_stops_nothing_and_loses_nothing(tmp_path, small, record_property):
    with Place(tmp_path) as place:
        place.brain.home = small
        place.brain.start()
        host = place.host("h")
        host.ask(rate=RATE)
        host.reaches(RATE)
        with filled(small):
            before = place.brain.books()
            never.wait(FULL_S)
            held = place.brain.books()
            told = host.told()[1]
        kept = host.ask(rate=RATE)
        eventually(lambda: len(place.brain.log()) > 1, "the brain to say that it works", 60)
        books = host.ask()

        place.holds(books["told"])
        assert balances(place, books)[1] == 0
        first, last = place.brain.log()
        assert first == (
            "Z4J-E602 database or disk is full: nothing is stored; agents keep their events"
        )
        assert last.startswith("the database works again after ")
        assert [line for line in host.lines("WARNING", "ERROR") if "E106" not in line] == []

    record_property(
        "figures",
        f"the brain's disk full for {FULL_S:.0f} s at {RATE} facts/s: {told - held.tasks} facts "
        f"waited in {kept['spool_bytes'] >> 10} KiB, {held.tasks - before.tasks} went in, all "
        f"{books['told']} stored, 0 lost; slowest hook {books['slowest_ms']:.1f} ms; 2 log lines",
    )


@pytest.fixture
def tiny(tmp_path):
    with small_disk(tmp_path / "tiny", "4m") as disk:
        yield disk


def test_a_full_disk_of_the_host_costs_only_what_is_counted(tmp_path, tiny, record_property):
    with Place(tmp_path) as place:
        place.brain.start()
        host = place.host("h", spool=tiny)
        host.ask(rate=RATE)
        host.reaches(RATE)
        with filled(tiny):
            eventually(lambda: host.ask(rate=RATE)["dropped"], "losses", 30)
            never.wait(FULL_S / 4)
            full = host.ask(rate=RATE)
        back = host.told()[1] + 2 * RATE
        host.reaches(back)
        books = host.ask()

        stored, lost = balances(place, books)
        produced = place.brain.books()
        assert lost == books["dropped"] > 0
        assert produced.tasks == produced.succeeded == books["told"] - lost
        (line,) = host.lines("Z4J-E122")
        assert "new events dropped" in line

    record_property(
        "figures",
        f"the host's disk full for {FULL_S / 4:.0f} s at {RATE} facts/s: {books['told']} told, "
        f"{stored} stored, {lost} counted lost, {full['told']} told by the time there was room; "
        f"slowest hook {books['slowest_ms']:.1f} ms; 1 log line",
    )
