"""What observing costs a worker of each engine on Redis; Celery has a bench of its own.

Two workers stand side by side, one as its documentation starts it, one under `z4j run`. Each is
stopped (SIGSTOP) while its queue is filled and goes on by SIGCONT, in changing order. CPU is
user + system of the whole tree, children that have ended included. As for Celery, the loss of
throughput is judged on tasks of about five milliseconds.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import redis
from bench_apps import work
from z4j_testing.brain import FakeBrain
from z4j_testing.demo.processes import bound
from z4j_testing.services import redis_url

HERE = Path(__file__).resolve().parent
COMPUTE_S = 0.005
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
PYTHON = (sys.executable, "-m")
UNDER_Z4J = (*PYTHON, "z4j", "run", "--", *PYTHON)


class Kind(NamedTuple):
    """An engine's worker: its app here, its command line, how many tasks make a round."""

    app: str
    command: tuple[str, ...]
    tasks: int = 2000


def kinds(queue: str, url: str) -> dict[str, Kind]:
    """Every worker that is measured."""
    rq = ("rq.cli", "worker", queue, "--url", url)
    return {
        "rq-simple": Kind("rq_app", (*rq, "--worker-class", "rq.worker.SimpleWorker")),
        "rq": Kind("rq_app", rq, tasks=300),
        "dramatiq": Kind("dramatiq_app",
                         ("dramatiq", "bench_apps.dramatiq_app", "-p", "1", "-t", "1")),
        "huey": Kind("huey_app", ("huey.bin.huey_consumer", "bench_apps.huey_app.huey")),
        "arq": Kind("arq_app", ("arq", "bench_apps.arq_app.WorkerSettings")),
        "taskiq": Kind("taskiq_app",
                       ("taskiq", "worker", "bench_apps.taskiq_app:broker", "-w", "1")),
    }  # fmt: skip


class Worker:
    """One worker and everything it forks; `env` has a DSN when it is observed."""

    def __init__(self, name: str, env: dict[str, str]) -> None:
        is_observed = "Z4J_DSN" in env
        self.queue = f"bench-{name}-{'with' if is_observed else 'alone'}"
        self.url = os.environ["Z4J_BENCH_BROKER"]
        self.kind = kinds(self.queue, self.url)[name]
        self.client = redis.Redis.from_url(self.url, socket_timeout=130)
        self.env = {**os.environ, **env, "PYTHONPATH": str(HERE), "Z4J_BENCH_QUEUE": self.queue}
        self.process = subprocess.Popen(
            bound([*(UNDER_Z4J if is_observed else PYTHON), *self.kind.command], signal.SIGTERM),
            cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.env,
            start_new_session=True,
        )  # fmt: skip
        self.send(0, 1, f"{self.queue}-up")
        assert self.client.blpop(f"{self.queue}-up", timeout=60), f"{self.queue} does not work"

    def send(self, times: int, count: int, done: str) -> None:
        """Fill the queue from a process that nobody observes."""
        code = (
            f"from bench_apps import {self.kind.app} as app; app.send({times}, {count}, {done!r})"
        )
        subprocess.run([sys.executable, "-c", code], env={**self.env, "Z4J_ENABLED": "0"},
                       cwd=HERE, check=True, timeout=120)  # fmt: skip

    def tree(self, pid: int | None = None) -> list[int]:
        """Process ids of the worker and all that came of it."""
        pid = pid or self.process.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            return []
        return [pid, *(each for child in children for each in self.tree(int(child)))]

    def cpu_us(self) -> float:
        """Microseconds of CPU the tree has used, with those of its that have ended."""
        spent = 0.0
        for pid in self.tree():
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            spent += (int(stat[13]) + int(stat[14])) * TICK_US
            for thread in Path(f"/proc/{pid}/task").iterdir():
                spent += int((thread / "schedstat").read_text().split()[0]) / 1000
        return spent

    def work(self, tasks: int, number: int, hashes: int = 0) -> tuple[float, float]:
        """Run `tasks` waiting tasks; CPU in µs and seconds per task."""
        done = f"done-{self.queue}-{number}-{hashes}"
        os.killpg(self.process.pid, signal.SIGSTOP)
        self.send(hashes, tasks, done)
        spent, began = self.cpu_us(), time.perf_counter()
        os.killpg(self.process.pid, signal.SIGCONT)
        assert self.client.blpop(done, timeout=120)
        took = time.perf_counter() - began
        time.sleep(0.3)  # the sender's share comes after the tasks
        return (self.cpu_us() - spent) / tasks, took / tasks

    def stop(self) -> None:
        """End it, all of it at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self.client.close()


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """Measure every engine."""
    os.environ.setdefault("Z4J_BENCH_BROKER", redis_url(5))
    redis.Redis.from_url(os.environ["Z4J_BENCH_BROKER"]).flushdb()
    rounds = 3 if quick else 7
    found: list[dict[str, Any]] = []
    for name, kind in kinds("", "").items():
        found += _engine(name, rounds, kind.tasks // (5 if quick else 1))
    return found


def _engine(name: str, rounds: int, tasks: int) -> list[dict[str, Any]]:
    with FakeBrain() as brain, tempfile.TemporaryDirectory() as spool:
        alone = Worker(name, {})
        observed = Worker(name, {"Z4J_DSN": brain.dsn, "Z4J_SPOOL_DIR": spool})
        try:
            pairs = [_pair(alone, observed, tasks, number) for number in range(rounds + 1)][1:]
            hashes = _hashes_in(COMPUTE_S)
            longer = [_pair(alone, observed, tasks // 5, each, hashes) for each in range(rounds)]
            assert len({task.task_id for task in brain.store.tasks}) > rounds * tasks
        finally:
            alone.stop()
            observed.stop()
    losses = [100 * (1 - one[1] / two[1]) for one, two in longer]
    return [
        _figure(f"{name}.cpu_us_per_task", [two[0] - one[0] for one, two in pairs], "µs"),
        _figure(f"{name}.throughput_loss_pct", losses, "%"),
        _figure(f"{name}.engine_alone_us", [one[0] for one, _ in pairs], "µs"),
    ]


def _pair(alone: Worker, observed: Worker, tasks: int, number: int, hashes: int = 0) -> Any:
    if number % 2:
        two = observed.work(tasks, number, hashes)
        return alone.work(tasks, number, hashes), two
    return alone.work(tasks, number, hashes), observed.work(tasks, number, hashes)


def _hashes_in(seconds: float) -> int:
    began = time.perf_counter()
    work.compute(20_000)
    return int(20_000 * seconds / (time.perf_counter() - began))


def _figure(name: str, values: list[float], unit: str) -> dict[str, Any]:
    return {
        "name": name, "value": round(statistics.median(values), 2), "unit": unit,
        "runs": len(values), "spread": round(statistics.pstdev(values), 2),
    }  # fmt: skip


if __name__ == "__main__":
    for each in measure(quick="--quick" in sys.argv):
        print(each)
