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
import subprocess
import sys
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from celery import Celery
from chaos_brain import PATIENCE, PROJECT, START_S, BrainProcess, end
from redis import Redis
from z4j_core.spool.segment import Corrupt, parse, parse_header
from z4j_testing.demo.processes import Child, Family, bound
from z4j_testing.services import redis_url
from z4j_testing.signals import eventually

HERE = Path(__file__).parent
REDIS_DB = 10
SETTLE_S = 40.0 * PATIENCE
__all__ = ["PROJECT", "SETTLE_S", "Stage", "on_disk"]


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
