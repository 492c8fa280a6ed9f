"""PostgreSQL is away for minutes. The rule: the brain stays up, agents keep their facts, none goes.

`Z4J_CHAOS_AWAY_S` shortens it for a quick look.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.error
import urllib.request

import pytest
from chaos_hosts import Place, balances
from chaos_pg import cluster
from z4j_testing.signals import eventually

AWAY_S = float(os.environ.get("Z4J_CHAOS_AWAY_S", "600"))
HOSTS, RATE = 2, 100
MAX_MB = 150
BOUND = 64 << 20
pytestmark = [pytest.mark.soak, pytest.mark.timeout(3_600)]
never = threading.Event()


@pytest.fixture
def server():
    with cluster() as made:
        yield made


@pytest.fixture
def place(server, tmp_path):
    with Place(tmp_path, database=server.url) as made:
        made.brain.start()
        yield made


def test_all_arrives_after_the_database_was_away(place, server, record_property):
    hosts = [place.host(f"h{n}") for n in range(HOSTS)]
    for host in hosts:
        host.ask(rate=RATE)
    for host in hosts:
        host.reaches(RATE)

    server.stop()
    never.wait(AWAY_S)
    answer = status(place.brain)
    resident_mb, _ = place.brain.memory_mb()
    held = [host.ask(rate=RATE) for host in hosts]
    server.start()
    since = time.monotonic()
    behind = sum(books["told"] for books in held)
    eventually(lambda: place.brain.books().tasks >= behind, "what waited", 300)
    drained_s = time.monotonic() - since
    eventually(lambda: len(place.brain.log()) > 1, "the brain to say that it works", 60)
    books = [host.ask() for host in hosts]

    found = place.holds(sum(each["told"] for each in books))
    assert [balances(place, each)[1] for each in books] == [0] * HOSTS
    assert max(each["spool_bytes"] for each in held) < BOUND
    assert (answer, status(place.brain)) == (503, 200)
    assert resident_mb < MAX_MB
    log = place.brain.log()
    assert len(log) == 2, log[:40]
    first, last = log
    assert first.startswith("Z4J-E602 ")
    assert last.startswith("the database works again after ")
    for host in hosts:
        assert len(host.lines("WARNING", "ERROR")) <= 1 + AWAY_S / 3_600
    record_property(
        "figures",
        f"database away for {AWAY_S:.0f} s at {HOSTS} x {RATE} facts/s: "
        f"{sum(each['spool_bytes'] for each in held) / 1e6:.1f} MB waited, stored within "
        f"{drained_s:.1f} s of its return ({behind / drained_s:.0f}/s); {found.tasks} stored, "
        f"{found.lost} lost; brain {resident_mb:.0f} MB; 2 log lines",
    )


def status(brain):
    """What the brain answers to somebody it knows."""
    url = f"http://127.0.0.1:{brain.port}/api/v1/me"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {brain.told['token']}"})
    try:
        with urllib.request.urlopen(asked, timeout=40) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
