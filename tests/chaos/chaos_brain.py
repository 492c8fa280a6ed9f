"""A real brain as a process, and its books read beside it. The rule: killed as often as wanted."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from z4j_core.model.tasks import TaskState
from z4j_testing.services import free_port
from z4j_testing.signals import eventually

PROJECT = "demo"
PATIENCE = float(os.environ.get("Z4J_CHAOS_PATIENCE", "1"))
"""How many times longer than on a machine of one's own to wait; what is judged is not how fast."""
START_S = 40.0 * PATIENCE
# A pool child waits up to 30 s for its last results to be read; a stopping worker may not.
END_S = 45 * PATIENCE


@dataclass(frozen=True, slots=True)
class Row:
    """What the brain holds about a task, as far as the books need it."""

    state: TaskState
    was_enqueued: bool
    was_taken: bool
    args: str | None
    name: str | None
    exc_message: str | None


class Books(NamedTuple):
    """Sums over everything the brain holds."""

    stored: int
    lost: int
    tasks: int
    succeeded: int


class BrainProcess:
    """`z4j serve` on one port and one directory, started and killed as often as wanted.

    `database` is a URL, a file in `home` without it; `prefix` goes before the command.
    """

    def __init__(self, family, home, *options, database=None, prefix=(), env=None, start_s=START_S):
        self.family, self.home, self.options = family, home, options
        self.database = database
        self.prefix, self.env = prefix, env or {}
        self.start_s = start_s
        self.port = free_port()
        self.child = None
        self.told = {}

    @property
    def dsn(self):
        return self.first["dsn"]

    @cached_property
    def first(self):
        """What the first start said; its key goes on to hold."""
        return dict(self.told)

    @property
    def _where(self):
        given = ["--database", self.database] if self.database else []
        return ["--data-dir", str(self.home), *given]

    def start(self):
        self.begin()
        return self.ready()

    def begin(self):
        """Start it without waiting."""
        command = [*self.prefix, sys.executable, "-m", "z4j", "serve", "--dev-project", PROJECT]
        options = ["--print-json", "--port", str(self.port), *self._where, *self.options]
        self.child = self.family.start("brain", [*command, *options], self.env)

    def ready(self):
        line = eventually(self._line, "the brain to serve", self.start_s)
        self.told = json.loads(line)
        assert self.first
        return self

    def _line(self):
        assert self.child.process.poll() is None, self.child.tail()
        return next((x for x in self.child.tail(50).splitlines() if x.startswith('{"url"')), None)

    def log(self):
        """What this start of it has said, without the line for machines."""
        text = self.child.log.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if not line.startswith('{"url"')]

    def memory_mb(self):
        """(resident now, most ever) of this process."""
        status = open(f"/proc/{self.child.process.pid}/status", encoding="utf-8")  # noqa: PTH123, SIM115
        with status:
            found = dict(line.split(":", 1) for line in status)
        return tuple(int(found[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))

    def kill(self, number=signal.SIGKILL):
        end(self.family, self.child, number)

    def command(self, *arguments):
        """Run a command of the brain's own machine."""
        done = subprocess.run(
            [sys.executable, "-m", "z4j", *arguments, *self._where],
            capture_output=True, text=True, timeout=90, check=True,
        )  # fmt: skip
        return done.stdout

    @cached_property
    def _engine(self):
        if self.database is None:
            url = f"sqlite:///file:{self.home}/z4j.db?mode=ro&uri=true&timeout=10"
        else:
            url = self.database.replace("postgresql:", "postgresql+psycopg:")
        return create_engine(url, poolclass=NullPool)

    def rows(self, query, **values):
        """Ask its database, beside it."""
        with self._engine.connect() as conn:
            return [tuple(row) for row in conn.execute(text(query), values)]

    def marks(self):
        """(stream, class, segment) to (watermark, stored, lost)."""
        found = self.rows(
            "SELECT stream, cls, segment, watermark, stored, lost, quarantined FROM streams"
        )
        assert not any(row[6] for row in found), "the brain could not read a fact"
        return {tuple(row[:3]): tuple(row[3:6]) for row in found}

    def of_stream(self, stream):
        """(stored, lost) of a stream over all its segments."""
        mine = [value for key, value in self.marks().items() if key[0] == stream]
        return sum(v[1] for v in mine), sum(v[2] for v in mine)

    def tasks(self):
        """Every task the brain knows, by id."""
        found = self.rows(
            "SELECT task_id, state, enqueued, worker, args, name, exc_message FROM tasks"
        )
        return {
            row[0]: Row(TaskState(row[1]), row[2] is not None, row[3] is not None, *row[4:])
            for row in found
        }

    def books(self):
        """All it holds, in one look."""
        found = self.rows(
            "SELECT (SELECT coalesce(sum(stored), 0) FROM streams),"
            " (SELECT coalesce(sum(lost), 0) FROM streams), (SELECT count(*) FROM tasks),"
            " (SELECT coalesce(sum(succeeded), 0) FROM rollup_minute)"
        )
        return Books(*map(int, found[0]))


def end(family, child, number):
    """End one process by a signal to it alone; its children have to notice by themselves."""
    child.process.send_signal(number)
    try:
        child.process.wait(END_S)
    except subprocess.TimeoutExpired:
        child.process.send_signal(signal.SIGUSR1)  # a Celery worker writes down its stacks
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(2)
        raise AssertionError(f"{child.name} does not end:\n{child.tail(150)}") from None
    family.children.remove(child)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)
