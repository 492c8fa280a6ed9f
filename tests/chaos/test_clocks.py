"""A clock is wrong by a year, at the agent or at the brain.

The rule: only times on screen differ.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chaos_hosts import Place, balances

FACTS, RATE = 2_000, 500
YEAR = timedelta(days=365)
LIBRARIES = "*-linux-gnu*/faketime/libfaketimeMT.so.1"
pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]


def lying(offset):
    """Environment of a process whose wall clock is wrong; its other clocks go right."""
    found = next(Path("/usr/lib").glob(LIBRARIES), None)
    if found is None:
        pytest.skip("libfaketime is not installed")
    return {
        "LD_PRELOAD": str(found), "FAKETIME": f"{offset.days:+d}d",
        "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip


@pytest.mark.parametrize("offset", [YEAR, -YEAR], ids=["ahead", "behind"])
@pytest.mark.parametrize("wrong", ["agent", "brain"])
def test_facts_arrive_whatever_the_clocks_say(tmp_path, wrong, offset, record_property):
    with Place(tmp_path) as place:
        env = lying(offset)
        place.brain.env = env if wrong == "brain" else {}
        place.brain.start()
        host_env = env if wrong == "agent" else {}
        host = place.host("h", env=host_env)
        host.ask(n=FACTS, rate=RATE)
        place.brain.kill()
        place.brain.start()
        books = host.ask(n=FACTS, rate=RATE)

        place.holds(books["told"])
        assert balances(place, books)[1] == 0
        assert host.lines("WARNING z4j", "ERROR z4j") == []
        ahead = offset if wrong == "agent" else -offset
        assert about(skew(place), ahead)
        assert about(age_of_tasks(place), offset if wrong == "agent" else timedelta())
        said = doctor(place, host_env)

    side = "ahead of" if ahead > timedelta() else "behind"
    assert re.search(rf"36[45] d {side} the brain's \(times on screen only\)", said)
    record_property(
        "figures",
        f"the {wrong}'s clock {offset.days:+d} days: {books['told']} facts stored through a kill "
        f"of the brain, 0 lost, 0 refused; told as: {said.strip()}",
    )


def skew(place):
    """How far the brain believes the agent's clock to be ahead of its own."""
    ((found,),) = place.brain.rows("SELECT clock_skew FROM agents")
    return timedelta(microseconds=found)


def age_of_tasks(place):
    """How far in our future the brain's tasks ended."""
    ((newest,),) = place.brain.rows("SELECT max(finished) FROM tasks")
    return datetime.fromtimestamp(newest / 1e6, UTC) - datetime.now(UTC)


def about(found, expected):
    return abs(found - expected) < timedelta(minutes=10)


def doctor(place, env):
    """What `z4j doctor` says of the clock."""
    done = subprocess.run(
        [sys.executable, "-m", "z4j", "doctor"], capture_output=True, text=True, timeout=60,
        check=False, env={**os.environ, "Z4J_DSN": place.brain.dsn, **env},
    )  # fmt: skip
    (line,) = [line for line in done.stdout.splitlines() if " clock " in line]
    return line
