"""What observing costs a Celery worker on Redis, solo and prefork.

Two workers run side by side, one without and one with the agent; each round gives both the same
number of waiting messages, one after the other in changing order. CPU is user + system of the whole
worker tree, on tasks that do nothing. The loss of throughput is judged on tasks that compute for
about five milliseconds and told for those that do nothing too: decision 11 in docs/adr says why.
`rss_mb` is the memory the agent adds to that tree.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import celery
import redis
from z4j_testing.brain import FakeBrain
from z4j_testing.demo.processes import bound
from z4j_testing.services import redis_url
from z4j_testing.signals import eventually

HERE = Path(__file__).resolve().parent
POOLS = ("solo", "prefork")
SLOTS = 2
COMPUTE_S = 0.005
URL = "Z4J_BENCH_BROKER"

app = celery.Celery("agent_celery", broker=os.environ.get(URL), set_as_current=False)
app.conf.update(
    task_ignore_result=True, worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
)  # fmt: skip


@app.task(name="bench.nothing", shared=False)
def nothing() -> None:
    """Do nothing."""


@app.task(name="bench.compute", shared=False)
def compute(times: int) -> None:
    """Compute `times` hashes."""
    hashlib.pbkdf2_hmac("sha256", b"z4j", b"benchmark", times)


@app.task(name="bench.last", shared=False)
def last(done: str) -> None:
    """Say that the queue is empty."""
    redis.Redis.from_url(os.environ[URL]).lpush(done, 1)


class Worker:
    """One `celery worker` and everything it forks."""

    def __init__(self, pool: str, env: dict[str, str]) -> None:
        self.name = f"{pool}-{'with' if 'Z4J_DSN' in env else 'alone'}@bench"
        self.process = subprocess.Popen(
            bound([
                sys.executable, "-m", "celery", "-A", "agent_celery", "worker", "-P", pool, "-c",
                str(SLOTS), "-n", self.name, "-Q", f"idle-{self.name}", "-l", "ERROR",
                "--without-mingle", "--without-gossip",
            ]),
            cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **env, "PYTHONPATH": str(HERE), "C_FORCE_ROOT": "1"},
        )  # fmt: skip
        eventually(lambda: app.control.ping([self.name], timeout=0.5), self.name, 30)

    def tree(self) -> list[int]:
        """Process ids of the worker and its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def cpu_us(self) -> float:
        """Microseconds of CPU all threads of the tree have used."""
        spent = 0
        for pid in self.tree():
            for thread in Path(f"/proc/{pid}/task").iterdir():
                spent += int((thread / "schedstat").read_text().split()[0])
        return spent / 1000

    def rss_mb(self) -> float:
        """Proportional memory of the tree, shared pages counted once."""
        total = 0
        for pid in self.tree():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def work(self, tasks: int, number: int, hashes: int = 0) -> tuple[float, float]:
        """Run `tasks` waiting tasks of `hashes` each; CPU in µs and seconds per task."""
        sent = compute.s(hashes) if hashes else nothing.s()
        queue, done = f"bench-{self.name}-{number}-{hashes}", f"done-{self.name}-{number}"
        with app.connection_for_write() as connection:
            producer = app.amqp.Producer(connection)
            for _ in range(tasks):
                sent.apply_async(queue=queue, producer=producer)
            last.apply_async((done,), queue=queue, producer=producer)
        client = redis.Redis.from_url(os.environ[URL], socket_timeout=130)
        spent, began = self.cpu_us(), time.perf_counter()
        app.control.add_consumer(queue, destination=[self.name])
        assert client.blpop(done, timeout=120)
        took = time.perf_counter() - began
        time.sleep(0.3)  # the sender's share comes after the tasks
        spent = self.cpu_us() - spent
        app.control.cancel_consumer(queue, destination=[self.name])
        return spent / tasks, took / tasks

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """Measure both pools; the figures without a pool in their name are the worse ones."""
    os.environ.setdefault(URL, redis_url(5))
    app.conf.broker_url = os.environ[URL]
    rounds, tasks = (3, 300) if quick else (9, 2000)
    figures: list[dict[str, Any]] = []
    for pool in POOLS:
        figures += _pool(pool, rounds, tasks)
    cpu = [figure for figure in figures if figure["name"].endswith("cpu_us_per_task")]
    loss = [figure for figure in figures if figure["name"].endswith("throughput_loss_pct")]
    memory = [figure for figure in figures if figure["name"].endswith("rss_mb")]
    return [
        {**max(cpu, key=_value), "name": "celery.cpu_us_per_task"},
        {**max(loss, key=_value), "name": "celery.throughput_loss_pct"},
        {**max(memory, key=_value), "name": "rss_mb"},
        *figures,
    ]


def _value(figure: dict[str, Any]) -> float:
    return float(figure["value"])


def _pool(pool: str, rounds: int, tasks: int) -> list[dict[str, Any]]:
    redis.Redis.from_url(os.environ[URL]).flushdb()
    with FakeBrain() as brain, tempfile.TemporaryDirectory() as spool:
        alone = Worker(pool, {"Z4J_ENABLED": "0"})
        observed = Worker(pool, {"Z4J_DSN": brain.dsn, "Z4J_SPOOL_DIR": spool})
        try:
            pairs = [_pair(alone, observed, tasks, number) for number in range(rounds + 1)][1:]
            hashes = hashes_in(COMPUTE_S)
            longer = [_pair(alone, observed, tasks // 5, each, hashes) for each in range(rounds)]
            added_mb = observed.rss_mb() - alone.rss_mb()
            assert len({task.task_id for task in brain.store.tasks}) > rounds * tasks
        finally:
            alone.stop()
            observed.stop()
    added = [two[0] - one[0] for one, two in pairs]
    base = statistics.median(one[0] for one, _ in pairs)
    return [
        _figure(f"celery.{pool}.cpu_us_per_task", added, "µs"),
        _figure(f"celery.{pool}.throughput_loss_pct", _losses(longer), "%"),
        _figure(f"celery.{pool}.noop_loss_pct", _losses(pairs), "%"),
        {"name": f"celery.{pool}.engine_alone_us", "value": round(base, 1), "unit": "µs"},
        {"name": f"celery.{pool}.rss_mb", "value": round(added_mb, 2), "unit": "MB"},
    ]


def _losses(pairs: list[Any]) -> list[float]:
    return [100 * (1 - one[1] / two[1]) for one, two in pairs]


def hashes_in(seconds: float) -> int:
    """How many hashes this machine computes in that time."""
    began = time.perf_counter()
    compute(20_000)
    return int(20_000 * seconds / (time.perf_counter() - began))


def _pair(alone: Worker, observed: Worker, tasks: int, number: int, hashes: int = 0) -> Any:
    if number % 2:
        two = observed.work(tasks, number, hashes)
        return alone.work(tasks, number, hashes), two
    return alone.work(tasks, number, hashes), observed.work(tasks, number, hashes)


def _figure(name: str, values: list[float], unit: str) -> dict[str, Any]:
    return {
        "name": name, "value": round(statistics.median(values), 2), "unit": unit,
        "runs": len(values), "spread": round(statistics.pstdev(values), 2),
    }  # fmt: skip


if __name__ == "__main__":
    for each in measure(quick="--quick" in sys.argv):
        print(each)
