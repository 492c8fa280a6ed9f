"""A real brain, real workers and a real producer to torment. The rule: every process is ended.

The brain's books are read from its database, the agents' from their counters and their spool on
disk, and the side book is what tasks themselves wrote when they ran.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from celery import Celery
from redis import Redis
from z4j_core.model.tasks import TaskState
from z4j_core.spool.segment import Corrupt, parse, parse_header
from z4j_testing.demo.processes import Child, Family, bound
from z4j_testing.services import free_port, redis_url
from z4j_testing.signals import eventually

HERE = Path(__file__).parent
REDIS_DB = 10
PROJECT = "demo"
START_S = 40.0
SETTLE_S = 40.0


@dataclass(frozen=True, slots=True)
class Row:
    """What the brain holds about a task, as far as the books need it."""

    state: TaskState
    was_enqueued: bool
    was_taken: bool
    args: str | None
    name: str | None
    exc_message: str | None


class BrainProcess:
    """`z4j serve` on one port and one directory, started and killed as often as wanted."""

    def __init__(self, family, home, *options):
        self.family, self.home, self.options = family, home, options
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

    def start(self):
        command = [sys.executable, "-m", "z4j", "serve", "--dev-project", PROJECT, "--print-json"]
        options = ["--port", str(self.port), "--data-dir", str(self.home), *self.options]
        self.child = self.family.start("brain", [*command, *options], {})
        line = eventually(self._line, "the brain to serve", START_S)
        self.told = json.loads(line)
        assert self.first
        return self

    def _line(self):
        assert self.child.process.poll() is None, self.child.tail()
        return next((x for x in self.child.tail(50).splitlines() if x.startswith('{"url"')), None)

    def kill(self, number=signal.SIGKILL):
        end(self.family, self.child, number)

    def command(self, *arguments):
        """Run a command of the brain's own machine."""
        done = subprocess.run(
            [sys.executable, "-m", "z4j", *arguments, "--data-dir", str(self.home)],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        return done.stdout

    def rows(self, query, *values):
        """Ask its database, beside it."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.home}/z4j.db?mode=ro", uri=True, timeout=10)
        ) as conn:
            return conn.execute(query, values).fetchall()

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


# A pool child waits up to 30 s for its last results to be read; a stopping worker may not.
END_S = 45


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


@dataclass(frozen=True, slots=True)
class Host:
    """A Celery worker as a host of the agent."""

    stage: Stage
    name: str
    queue: str
    spool: Path
    child: Child

    def log(self):
        return self.child.log.read_text(encoding="utf-8", errors="replace")

    def lines(self, code="Z4J-E"):
        """What the agent said about trouble."""
        return [line for line in self.log().splitlines() if "z4j: " in line and code in line]

    def ready(self):
        eventually(lambda: " ready." in self.log(), f"{self.name} to be ready", START_S)
        return self

    def books(self):
        """The counters of its agent; None when it did not answer."""
        reply = self.stage.app.control.broadcast(
            "books", reply=True, destination=[f"{self.name}@chaos"], timeout=3, limit=1
        )
        return reply[0][f"{self.name}@chaos"] if reply else None

    def is_idle(self):
        """Its books once it has nothing to do."""
        books = self.books()
        return books if books and not books["reserved"] else None

    def send(self, task, *args, **options):
        return self.stage.app.send_task(f"chaos.{task}", args, queue=self.queue, **options).id

    def runs(self, task="run", *args, **options):
        """Whether a task sent now comes to its end; its id."""
        task_id = self.send(task, *args, **options)
        eventually(lambda: task_id in self.stage.book("ran"), f"{task} to run in {self.name}", 30)
        return task_id

    def end(self, number=signal.SIGTERM):
        end(self.stage.family, self.child, number)


class Producer:
    """A process that sends tasks as told."""

    def __init__(self, stage, dsn, spool):
        self.stage, self.spool = stage, spool
        env = stage.env(dsn, spool)
        self.log = (stage.home / "producer.log").open("wb")
        self.process = subprocess.Popen(
            bound([sys.executable, str(HERE / "chaos_producer.py")]),
            env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, start_new_session=True, text=True,
        )  # fmt: skip

    def begin(self, **wish):
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()

    def books(self):
        """Its books, when it has done what it was told."""
        line = self.process.stdout.readline()
        assert line, (self.stage.home / "producer.log").read_text()
        return json.loads(line)

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()
        self.log.close()


class Stage:
    """One home directory, one Redis database and all processes on them."""

    def __init__(self, home):
        self.home = home
        self.url = redis_url(REDIS_DB)
        self.redis = Redis.from_url(self.url)
        self.redis.flushdb()
        (home / "book").mkdir(parents=True)
        (home / "home").mkdir()
        self.family = Family(home)
        self.queue = f"chaos-{uuid.uuid4().hex[:8]}"
        self.app = Celery("chaos", broker=self.url)
        self.app.conf.task_create_missing_queues = True
        self.brain = BrainProcess(self.family, home / "brain")
        self.producers = []

    def env(self, dsn, spool):
        found = {
            "CHAOS_BROKER": self.url, "CHAOS_QUEUE": self.queue,
            "CHAOS_BOOK": str(self.home / "book"), "PYTHONPATH": str(HERE), "C_FORCE_ROOT": "1",
            "Z4J_SPOOL_DIR": str(spool), "HOME": str(self.home / "home"), "Z4J_ALLOW": "run",
        }  # fmt: skip
        return found | ({"Z4J_DSN": dsn} if dsn else {})

    def worker(self, name, dsn=None, *, queue=None, spool=None, slots=2, **env):
        queue, spool = queue or self.queue, Path(spool or self.home / "spool")
        command = [sys.executable, "-m", "celery", "-A", "chaos_app", "worker", "-c", str(slots)]
        options = ["-n", f"{name}@chaos", "-Q", queue, "-l", "INFO"]
        quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        dsn = dsn or self.brain.dsn
        child = self.family.start(
            name, [*command, *options, *quiet], {**self.env(dsn, spool), **env}
        )
        return Host(self, name, queue, spool, child)

    def producer(self):
        made = Producer(self, self.brain.dsn, self.home / "spool-producer")
        self.producers.append(made)
        return made

    def book(self, name):
        """Lines of a side book, counted."""
        path = self.home / "book" / name
        return Counter(path.read_text().split("\n")[:-1]) if path.exists() else Counter()

    def waiting(self):
        return self.redis.llen(self.queue)

    def end(self):
        for producer in self.producers:
            producer.end()
        self.family.end()
        self.redis.flushdb()
        self.redis.close()
        self.app.close()
        shutil.rmtree(self.home, ignore_errors=True)


def on_disk(spool):
    """(stream, class, segment) to the number of whole facts that lie in a spool, read by itself."""
    found = {}
    for path in spool.glob("*/s/*/[ec]-*"):
        try:
            data = path.read_bytes()
            header, start = parse_header(data)
        except (FileNotFoundError, Corrupt):
            continue
        items = parse(data[start:], header.seed, is_whole=True, is_sealed=True)
        key = (header.stream.hex(), header.cls, header.segment.hex())
        found[key] = len(items.bodies)
    return found
