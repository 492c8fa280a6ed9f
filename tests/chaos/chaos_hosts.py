"""Hosts that tell facts, on a stage of their own. The rule: every process is ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from chaos_brain import PATIENCE, START_S, BrainProcess
from chaos_teller import PROGRESS
from z4j_testing.demo.processes import Family, bound
from z4j_testing.signals import eventually

HERE = Path(__file__).parent
SETTLE_S = 60.0 * PATIENCE


class Host:
    """One process with an agent that tells facts as it is told."""

    def __init__(self, home, name, dsn, spool, prefix=(), env=None):
        self.name = name
        self.progress = home / f"{name}.progress"
        self.log_path = home / f"{name}.log"
        self._log = self.log_path.open("wb")
        command = [sys.executable, str(HERE / "chaos_teller.py"), str(self.progress), name]
        given = {"Z4J_DSN": dsn, "Z4J_SPOOL_DIR": str(spool), "HOME": str(home), **(env or {})}
        self.process = subprocess.Popen(
            bound([*prefix, *command]), env={**os.environ, **given}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._log, start_new_session=True, text=True,
        )  # fmt: skip

    def begin(self, **wish):
        """Wish for something; `books` takes the answer."""
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()

    def books(self):
        """The answer to the oldest wish without one."""
        line = self.process.stdout.readline()
        assert line, self.log()
        return json.loads(line)

    def ask(self, **wish):
        self.begin(**wish)
        return self.books()

    def told(self):
        """(facts begun, facts told); also of a process that is dead."""
        data = self.progress.read_bytes() if self.progress.exists() else b""
        return PROGRESS.unpack(data) if len(data) == PROGRESS.size else (0, 0)

    def reaches(self, told):
        """Wait until it told so many."""
        eventually(lambda: self.told()[1] >= told, f"{told} facts of {self.name}", START_S)

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def lines(self, *words):
        """Its log lines that hold one of these words."""
        return [line for line in self.log().splitlines() if any(word in line for word in words)]

    def kill(self):
        """End it without a word; (facts begun, facts told) by then."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate()
        self._log.close()
        return self.told()


class Place:
    """A directory with a brain and hosts that tell it facts; a context that ends all of them."""

    def __init__(self, home, **brain):
        self.home = home
        self.family = Family(home)
        self.brain = BrainProcess(self.family, home / "brain", **brain)
        self.hosts = []

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for host in self.hosts:
            host.kill()
        self.family.end()
        shutil.rmtree(self.home, ignore_errors=True)

    def host(self, name, *, spool=None, prefix=(), env=None):
        made = Host(self.home, name, self.brain.dsn, spool or self.home / "spool", prefix, env)
        self.hosts.append(made)
        return made

    def holds(self, produced, what="all facts to be stored", timeout_s=SETTLE_S):
        """Wait until facts stored and lost are those produced, and see that no task is double.

        `produced` are facts about tasks. Returns the books.
        """

        def arrived():
            books = self.brain.books()
            return books if books.tasks + books.lost >= produced else None

        books = eventually(arrived, f"{what}: {produced}, not {self.brain.books()}", timeout_s)
        assert books.tasks + books.lost == produced
        assert books.succeeded == books.tasks
        return books


def balances(place, books):
    """A living host's books: what it wrote and dropped is what the brain stored and knows lost."""

    def arrived():
        return sum(place.brain.of_stream(books["stream"])) >= books["written"] + books["dropped"]

    eventually(arrived, f"{books} to be in the books of the brain", SETTLE_S)
    stored, lost = place.brain.of_stream(books["stream"])
    assert stored + lost == books["written"] + books["dropped"]
    assert books["hook_errors"] == 0
    return stored, lost
