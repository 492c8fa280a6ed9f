"""Real agents that may lead: each is a process of its own with a broker in a private Redis."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import redis
from z4j_testing.services import free_port
from z4j_testing.signals import eventually

HERE = Path(__file__).parent
CODE = """
import json, logging, os, sys, time
sys.path.insert(0, {here!r})
import redis
from toy import ToyEngine
from z4j_core import EventKind, TaskEvent, Worker
from z4j_core.agent import start
broker = redis.Redis(port={port})
said = []
class Keeping(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
logging.getLogger("z4j").addHandler(Keeping())
handle = start({settings!r})
class Sending(ToyEngine):
    def __init__(self, app, name="toy"):
        super().__init__(app)
        self.name = name
    def enqueue(self, job):
        sent = super().enqueue(job)
        row = [job.id, self.name, self.app, job.task, time.time(), os.getpid()]
        broker.rpush("sent", json.dumps(row))
        return sent
engines = [Sending(app, name) for name, app in {engines!r}]
for engine in engines:
    handle.attach(engine)
    engine.emit.worker_up(Worker("w1"))
print("up", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
handle.close()
print("closed", flush=True)
"""


class Broker:
    """A private Redis: broker, lease store, and memory of what was sent."""

    def __init__(self, home):
        self.port = free_port()
        self._command = [
            shutil.which("redis-server") or "redis-server", "--port", str(self.port),
            "--save", "", "--appendonly", "no", "--dir", str(home),
        ]  # fmt: skip
        self.client = redis.Redis(port=self.port)
        self._server = None
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        self._server = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        eventually(self._answers, "Redis to answer")

    def _answers(self):
        with contextlib.suppress(redis.ConnectionError):
            return self.client.ping()
        return None

    def stop(self):
        self._server.kill()
        self._server.wait()

    def close(self):
        self.client.close()
        self.stop()

    def sent(self, engine=None):
        """Fires in the order they were sent: (id, engine, app, task, at, pid)."""
        rows = [json.loads(row) for row in self.client.lrange("sent", 0, -1)]
        return [row for row in rows if engine in (None, row[1])]


class Fleet:
    """Agents under test; all are gone at the end."""

    def __init__(self, broker, home):
        self.broker = broker
        self.home = home
        (home / "leases").mkdir(exist_ok=True)
        self.running = []

    def start(self, dsn, spool="spool", *, engines=(("toy", "toyapp"),), **settings):
        given = {
            "dsn": dsn, "spool_dir": str(self.home / spool), "engines": ["none"],
            "lease_store": self.broker.url, **settings,
        }  # fmt: skip
        code = CODE.format(
            here=str(HERE), port=self.broker.port, settings=given, engines=list(engines)
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.running.append(process)
        assert process.stdout.readline() == "up\n"
        return process

    def leader(self, group="demo/toy/toyapp"):
        """Owner and epoch of the lease, None when nobody holds it."""
        owner, epoch, exp = self.broker.client.hmget(
            f"z4j:{{{group}}}:lease", "owner", "epoch", "exp"
        )
        if not owner or int(exp) <= time.time() * 1000:
            return None
        return owner.decode(), int(epoch)

    def close(self):
        for process in self.running:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def quit_(process):
    """End a process as a worker ends: its close runs; how long that took, in seconds."""
    began = time.monotonic()
    process.stdin.close()
    assert process.stdout.readline() == "closed\n"
    took = time.monotonic() - began
    process.wait()
    return took
