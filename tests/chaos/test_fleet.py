"""A thousand agents lose their brain and find it again. The rule: all are back within 30 s."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chaos_hosts import Place
from z4j_testing.demo.processes import bound
from z4j_testing.signals import eventually

AGENTS = int(os.environ.get("Z4J_CHAOS_AGENTS", "1000"))
MOST_S, MOST_MB_EACH = 30.0, 0.15
HERE = Path(__file__).parent
ABSENT = "ConnectionRefusedError", "ConnectionResetError", "ConnectionClosedError"
"""How it looks when nobody is there; anything else is a refusal or a crush at the door."""
pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


class Fleet:
    """The process that holds all agents."""

    def __init__(self, dsn, addresses, log):
        command = [sys.executable, str(HERE / "chaos_fleet.py"), dsn, str(AGENTS), str(addresses)]
        self.log = log.open("wb")
        self.process = subprocess.Popen(
            bound(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            start_new_session=True, text=True,
        )  # fmt: skip

    def asked(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def all_up(self):
        told = self.asked()
        return told if told["up"] == AGENTS else None

    def end(self):
        self.process.kill()
        self.process.communicate()
        self.log.close()


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    """A socket for each agent, at both ends."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def place(tmp_path):
    with Place(tmp_path) as made:
        made.brain.start()
        yield made


@pytest.fixture(params=[1000, 1], ids=["own-addresses", "one-address"])
def fleet(request, place, tmp_path):
    made = Fleet(place.brain.dsn, request.param, tmp_path / "fleet.log")
    yield made
    made.end()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_a_thousand_agents_are_back_soon_after_the_brain(
    place, fleet, how, request, record_property
):
    alone_mb, _ = place.brain.memory_mb()
    eventually(fleet.all_up, "all agents to be there", 120)
    before = fleet.asked()["failed"]
    place.brain.kill(how)
    place.brain.start()

    since = time.monotonic()
    told = eventually(fleet.all_up, "all agents to be back", 120)
    took_s = time.monotonic() - since - told["since_last_s"]
    failed = {why: n - before.get(why, 0) for why, n in told["failed"].items()}
    crushed = {why: n for why, n in failed.items() if n and not why.startswith(ABSENT)}
    resident_mb, most_mb = place.brain.memory_mb()

    record_property(
        "figures",
        f"{AGENTS} agents ({request.node.callspec.id}): back within {took_s:.1f} s of the brain; "
        f"{sum(crushed.values())} tries refused or timed out {crushed or ''}; brain "
        f"{alone_mb:.0f} MB alone, {resident_mb:.0f} MB with all, {most_mb:.0f} MB at most",
    )
    assert took_s <= MOST_S
    assert most_mb - alone_mb <= AGENTS * MOST_MB_EACH
    assert place.brain.log() == []
    listed = place.brain.rows("SELECT count(*) FROM agents WHERE connected")
    assert listed == [(AGENTS,)]
