"""The demo leaves nothing behind, whichever way it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from z4j_testing.demo.processes import (
    ChildDied,
    Family,
    free_port,
    is_listening,
    wait_until,
)

SLEEPER = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]
IGNORES_SIGTERM = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
kid = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(kid.pid, flush=True)
signal.pause()
"""
STUBBORN = [sys.executable, "-c", IGNORES_SIGTERM]


def is_alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


@pytest.fixture
def family(tmp_path):
    made = Family(tmp_path)
    yield made
    made.end(grace_s=0.5)


def test_ending_a_family_ends_every_child(family):
    child = family.start("sleeper", SLEEPER, {})
    wait_until("up", lambda: "up" in child.tail(), 10)

    family.end()

    assert child.process.poll() is not None
    assert family.children == []


def test_a_child_that_ignores_the_request_is_ended_by_force_with_its_own_children(family):
    child = family.start("stubborn", STUBBORN, {})
    wait_until("up", lambda: child.tail().strip().isdigit(), 10)
    grandchild = int(child.tail())

    family.end(grace_s=0.2)

    assert child.process.poll() == -signal.SIGKILL
    wait_until("the grandchild is gone", lambda: not is_alive(grandchild), 5)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_children_end_when_the_demo_itself_is_killed(tmp_path):
    program = (
        "import sys, pathlib, signal\n"
        "from z4j_testing.demo.processes import Family\n"
        f"child = Family(pathlib.Path({str(tmp_path)!r})).start('sleeper', {SLEEPER!r}, {{}})\n"
        "print(child.process.pid, flush=True)\n"
        "signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as demo:
        child = int(demo.stdout.readline())
        log = tmp_path / "sleeper.log"
        wait_until("up", lambda: "up" in log.read_text(encoding="utf-8"), 10)

        os.kill(demo.pid, signal.SIGKILL)

    wait_until("the child is gone", lambda: not is_alive(child), 5)


def test_a_child_that_ends_by_itself_is_reported_with_its_last_words(family):
    child = family.start("brief", [sys.executable, "-c", "import sys; sys.exit('no more tea')"], {})
    child.process.wait(10)

    with pytest.raises(ChildDied, match="brief ended with 1:\nno more tea"):
        family.check()


def test_waiting_ends_with_what_was_waited_for():
    with pytest.raises(TimeoutError, match="the moon: not within 0 s"):
        wait_until("the moon", lambda: False, 0.05, every_s=0.01)


def test_the_next_port_is_taken_when_the_preferred_one_is_in_use(family):
    taken = free_port()
    server = (
        f"import socket; s = socket.create_server(('127.0.0.1', {taken})); s.accept(); s.accept()"
    )
    family.start("server", [sys.executable, "-c", server], {})
    wait_until("listens", lambda: is_listening(taken), 10)

    found = free_port(taken)

    assert found > taken
