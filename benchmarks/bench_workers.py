"""A worker of each engine on Redis, and what it has used. The rule: as its documentation starts it.

An observed one stands under `z4j run`; nothing else differs. A worker is stopped (SIGSTOP) while a
process that nobody observes fills its queue, and goes on by SIGCONT.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import redis
from z4j_testing.demo.processes import bound

HERE = Path(__file__).resolve().parent
BROKER = "Z4J_BENCH_BROKER"
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
SETTLED_S = 0.3
"""The sender's share comes after the tasks."""


class Kind(NamedTuple):
    """A worker: its app here, its command line, how many tasks that do nothing make a round."""

    app: str
    command: tuple[str, ...]
    tasks: int = 500


def kinds(queue: str, url: str) -> dict[str, Kind]:
    """Every worker that is measured."""
    rq = ("rq.cli", "worker", queue, "--url", url)
    celery = ("celery", "-A", "bench_apps.celery_app", "worker", "-l", "ERROR", "-n", queue,
              "--without-mingle", "--without-gossip")  # fmt: skip
    return {
        "celery.solo": Kind("celery_app", (*celery, "-P", "solo")),
        "celery.prefork": Kind("celery_app", (*celery, "-P", "prefork", "-c", "2")),
        "rq.simple": Kind("rq_app", (*rq, "--worker-class", "rq.worker.SimpleWorker")),
        "rq.fork": Kind("rq_app", rq, tasks=50),
        "dramatiq": Kind("dramatiq_app",
                         ("dramatiq", "bench_apps.dramatiq_app", "-p", "1", "-t", "1")),
        "huey": Kind("huey_app", ("huey.bin.huey_consumer", "bench_apps.huey_app.huey")),
        "arq": Kind("arq_app", ("arq", "bench_apps.arq_app.WorkerSettings")),
        "taskiq": Kind("taskiq_app",
                       ("taskiq", "worker", "bench_apps.taskiq_app:broker", "-w", "1")),
    }  # fmt: skip


class Used(NamedTuple):
    """CPU in µs and seconds of wall time, both per task."""

    cpu_us: float
    wall_s: float


class Worker:
    """One worker and everything it forks, named by its `side`; with a DSN it is observed.

    `interpreter` may be that of another checkout: so two states of the code compare in one run.
    """

    def __init__(
        self, name: str, side: str, env: dict[str, str], interpreter: str = sys.executable
    ) -> None:
        python = (interpreter, "-m")
        under_z4j = (*python, "z4j", "run", "--") if "Z4J_DSN" in env else ()
        self.queue = f"bench-{name}-{side}"
        self.kind = kinds(self.queue, os.environ[BROKER])[name]
        self.client = redis.Redis.from_url(os.environ[BROKER], socket_timeout=130)
        held = {**os.environ, "PYTHONPATH": str(HERE), "Z4J_BENCH_QUEUE": self.queue,
                "C_FORCE_ROOT": "1"}  # fmt: skip
        self.process = subprocess.Popen(
            bound([*under_z4j, *python, *self.kind.command], signal.SIGTERM),
            cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**held, **env}, start_new_session=True,
        )  # fmt: skip
        self.sender = subprocess.Popen(
            bound([*python, "bench_apps.sender", self.kind.app]),
            cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**held, "Z4J_ENABLED": "0"},
        )  # fmt: skip
        self.send(0, 1, f"{self.queue}-up")
        assert self.client.blpop(f"{self.queue}-up", timeout=60), f"{self.queue} does not work"

    def send(self, hashes: int, count: int, done: str) -> None:
        """Put `count` tasks of `hashes` each into the queue, and one that says `done`."""
        assert self.sender.stdin is not None
        assert self.sender.stdout is not None
        line = f"{hashes} {count} {done}\n"
        self.sender.stdin.write(line)
        self.sender.stdin.flush()
        assert self.sender.stdout.readline() == line, f"{self.queue} could not be filled"

    def work(self, hashes: int, tasks: int, number: int) -> Used:
        """Run `tasks` waiting tasks of `hashes` each."""
        done = f"done-{self.queue}-{number}-{hashes}"
        os.killpg(self.process.pid, signal.SIGSTOP)
        self.send(hashes, tasks, done)
        spent, began = self.cpu_us(), time.perf_counter()
        os.killpg(self.process.pid, signal.SIGCONT)
        assert self.client.blpop(done, timeout=120)
        took = time.perf_counter() - began
        time.sleep(SETTLED_S)
        return Used((self.cpu_us() - spent) / tasks, took / tasks)

    def cpu_us(self) -> float:
        """Microseconds of CPU the tree has used, with threads and children that have ended."""
        spent = 0.0
        for pid in self.tree():
            spent += (
                time.clock_gettime_ns(~pid << 3 | 2) / 1000
            )  # its clock, clock_getcpuclockid(3)
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            spent += (int(stat[13]) + int(stat[14])) * TICK_US
        return spent

    def rss_mb(self) -> float:
        """Proportional memory of the tree, shared pages counted once."""
        total = 0
        for pid in self.tree():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def tree(self) -> list[int]:
        """Process ids of the worker and all that came of it."""
        return _tree(self.process.pid)

    def stop(self) -> None:
        """End it, all of it at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self.sender.kill()
        self.sender.communicate()
        self.client.close()


def _tree(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [each for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(each for child in children for each in _tree(int(child)))]
