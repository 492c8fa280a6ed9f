"""A brain behind a proxy that strips `Upgrade`. The rule: the same facts, once, the same orders.

Brain and proxy are the real things: `z4j serve` in a process of its own, killed and started again;
the agent is that of this process, and decides by itself how it gets through.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from z4j_brain.commands.seal import NewCommand, add_command
from z4j_brain.db import open_database
from z4j_brain.db.rootkeys import RootKeys
from z4j_core import EventKind, Job, TaskEvent, Worker
from z4j_core.agent.boot import Handle
from z4j_core.cli.doctor import main as doctor
from z4j_core.clock import SystemClock
from z4j_core.config import load
from z4j_testing.services import free_port
from z4j_testing.signals import eventually
from z4j_testing.stripping import StrippingProxy

CLOCK = SystemClock()
WAIT_S = 40.0


class Brain:
    """`z4j serve` on one port and directory; its books are read beside it."""

    def __init__(self, home):
        self.home, self.port, self.process = home, free_port(), None

    def start(self):
        command = [sys.executable, "-m", "z4j", "serve", "--dev-project", "demo", "--print-json"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--data-dir", str(self.home)],
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        return json.loads(self.process.stdout.readline())

    def end(self, number=signal.SIGTERM):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        code = self.process.wait(20)
        self.process.stdout.close()
        return code

    def rows(self, query):
        url = f"file:{self.home}/z4j.db?mode=ro"
        with contextlib.closing(sqlite3.connect(url, uri=True, timeout=10)) as conn:
            return conn.execute(query).fetchall()

    def order(self, cmd_id, verb, targets):
        """A command as the API makes it."""
        roots = RootKeys((self.home / "secret.key").read_bytes().strip(), ())
        ((project_id,),) = self.rows("SELECT id FROM projects")
        now = CLOCK.wall_us()
        new = NewCommand(
            cmd_id=cmd_id, project_id=project_id, engine="toy", app="toyapp", verb=verb, scope=1,
            targets=targets, deadline_us=now + 60_000_000, created_us=now, actor=["u", "Ann", "ui"],
        )  # fmt: skip
        db = open_database(f"sqlite:///{self.home}/z4j.db")
        try:
            with db.writing() as conn:
                add_command(conn, roots, new)
        finally:
            db.close()

    def state(self, cmd_id):
        return [row[0] for row in self.rows(f"SELECT state FROM commands WHERE cmd_id='{cmd_id}'")]


class Engine:
    """An engine without a broker: what it is told to state, and what it was told to cancel."""

    name, app, unavailable = "toy", "toyapp", {}

    def __init__(self):
        self.emit, self.cancelled = None, []

    def attach(self, emit):
        self.emit = emit

    def detach(self):
        self.emit = None

    def discover(self):
        return []

    def enqueue(self, job: Job):
        raise NotImplementedError

    def workers(self):
        return [Worker("w1")]

    def cancel(self, task_id):
        self.cancelled.append(task_id)


@pytest.fixture
def brain(tmp_path):
    made = Brain(tmp_path / "brain")
    try:
        made.told = made.start()
        yield made
    finally:
        made.end()


@pytest.fixture
def behind(brain):
    """The DSN of that brain behind a proxy, and the proxy."""
    with StrippingProxy(("127.0.0.1", brain.port)) as proxy:
        yield brain.told["dsn"].replace(f":{brain.port}/", f":{proxy.port}/"), proxy


@pytest.fixture
def agent(behind, tmp_path):
    given = {"dsn": behind[0], "spool_dir": str(tmp_path / "spool"), "engines": ["none"]}
    handle = Handle(load(given, environ={}, cwd=tmp_path))
    handle.start()
    handle.engine = Engine()
    handle.attach(handle.engine)
    yield handle
    handle.close()


def done(handle, numbers):
    for n in numbers:
        for kind in (EventKind.STARTED, EventKind.SUCCEEDED):
            handle.engine.emit(TaskEvent(kind, f"t{n}", 1, "shop.charge", "mail", "w1"))


def test_facts_and_commands_pass_and_a_killed_brain_gets_every_fact_once(brain, behind, agent):
    done(agent, range(200))
    eventually(lambda: ended(brain) == 200, "the first facts", WAIT_S)
    assert agent.status()["transport"] == "poll"
    eventually(lambda: brain.rows("SELECT 1 FROM commands WHERE state='done'"), "a look", WAIT_S)

    done(agent, range(200, 400))
    brain.end(signal.SIGKILL)
    done(agent, range(400, 600))
    brain.start()
    eventually(lambda: ended(brain) == 600, "facts of before, between and after", WAIT_S)
    brain.order("ab" * 16, "cancel", ["t1"])
    eventually(lambda: brain.state("ab" * 16) == ["done"], "a command after the restart", WAIT_S)

    assert agent.engine.cancelled == ["t1"]
    written = agent.process.spool.writer.counters.written
    (books,) = brain.rows("SELECT sum(stored), sum(lost) FROM streams")
    assert books == (written, 0)
    assert brain.rows("SELECT count(*) FROM attempts") == [(600,)]
    assert not any(line.startswith("GET") for line in behind[1].seen[-20:])


def ended(brain):
    return brain.rows("SELECT count(*) FROM tasks WHERE state=9")[0][0]


def test_a_brain_that_is_told_to_stop_stops_though_agents_poll(brain, agent):
    done(agent, range(1))
    eventually(lambda: ended(brain) == 1, "a fact", WAIT_S)

    assert brain.end(signal.SIGTERM) == 0

    brain.start()
    done(agent, range(1, 2))
    eventually(lambda: ended(brain) == 2, "a fact for the next brain", WAIT_S)


def test_doctor_goes_the_same_way_and_says_so(brain, behind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("Z4J_DSN", behind[0])
    monkeypatch.setenv("Z4J_SPOOL_DIR", str(tmp_path / "spool"))

    code = doctor([])

    said = capsys.readouterr().out
    assert code == 0, said
    assert "warn  handshake  Z4J-E109" in said
    assert "by HTTPS requests, for no WebSocket gets through (HTTP 404)" in said
    assert said.count("ok    event") == said.count("ok    command") == 1
