"""Brain and host are killed while 2,000 facts a second are told. The rule: the books balance.

In every cycle: facts told = facts stored + facts reported lost, and none is there twice.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, nullcontext
from statistics import median

import pytest
from chaos_brain import PATIENCE
from chaos_hosts import SETTLE_S, Place, balances
from chaos_pg import cluster
from z4j_testing.signals import eventually

RATE = 2_000
CYCLES = int(os.environ.get("Z4J_CHAOS_CYCLES", "200"))
pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600 * PATIENCE)]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    own = cluster() if request.param == "postgresql" else nullcontext()
    with own as server, Place(tmp_path, database=server.url if server else None) as made:
        made.brain.start()
        yield made


def moment(cycle):
    """After how many facts of a burst to kill: always another place, never its very end."""
    return 50 + 613 * cycle % (RATE - 500)


@contextmanager
def counted(cycle):
    """Let a failure say how many kills went well before it."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"the books balanced after {cycle} kills before this one")
        raise


def test_the_books_balance_after_each_kill_of_the_brain(place, record_property):
    host = place.host("h")
    rates = []
    for cycle in range(CYCLES):
        with counted(cycle):
            before = host.told()[1]
            host.begin(n=RATE, rate=RATE)
            host.reaches(before + moment(cycle))
            place.brain.kill()
            place.brain.begin()
            books = host.books()
            rates.append(RATE / books["took_s"])
            place.brain.ready()

            assert place.holds(books["told"]).lost == 0
            stored, lost = balances(place, books)

    record_property("figures", figures("brain", rates, stored, lost))


def test_the_books_balance_after_each_kill_of_the_host(place, record_property):
    host, produced, rates = place.host("h0"), 0, []
    for cycle in range(CYCLES):
        with counted(cycle):
            host.begin(rate=RATE)
            host.reaches(1)
            first, since = host.told()[1], time.monotonic()
            host.reaches(first + moment(cycle) // 2)
            rates.append((host.told()[1] - first) / (time.monotonic() - since))
            begun, told = host.kill()

            place.hosts.remove(host)
            host = place.host(f"h{cycle + 1}")
            adopted(place, host, produced + told)
            books = place.brain.books()
            assert produced + told <= books.tasks <= produced + begun
            assert (books.lost, books.succeeded) == (0, books.tasks)
            produced = books.tasks

    record_property("figures", figures("host", rates, books.stored, books.lost))


def adopted(place, heir, told):
    """Wait until a heir has brought all that the dead host told, to the last fact."""
    eventually(lambda: place.brain.books().tasks >= told, f"{told} facts of the dead", SETTLE_S)
    assert heir.ask(flush=SETTLE_S)["flushed"]


def figures(killed, rates, stored, lost):
    return (
        f"{len(rates)} kills of the {killed}: {stored} facts stored, {lost} reported lost, "
        f"0 doubled; told at {median(rates):.0f}/s, slowest burst {min(rates):.0f}/s"
    )
