"""What observing costs a worker of each engine on Redis: CPU per task, throughput, memory.

Two workers stand side by side, one without and one with the agent, and are given the same small
number of waiting tasks, one after the other in changing order. CPU is user + system of the whole
tree, on tasks that do nothing. The loss of throughput is judged on tasks that compute for about
five milliseconds: decision 11 in docs/adr says why.

A figure compares the quiet quarters of both workers, see `quiet`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence

import redis
from bench_apps import work
from bench_workers import BROKER, Used, Worker, kinds
from quiet import Figure, figure, quiet
from z4j_testing.brain import FakeBrain
from z4j_testing.services import redis_url

COMPUTE_S = 0.005
ROUNDS, QUICK_ROUNDS = 24, 4
LONGER = 40
"""Tasks of five milliseconds in a round."""
WORST = {"celery": ("celery.solo", "celery.prefork"), "rq": ("rq.fork", "rq.simple")}
"""Engines with two kinds of worker: their own figures are the worse ones."""
Pair = tuple[Used, Used]


def measure(quick: bool = False, only: Sequence[str] = ()) -> list[Figure]:
    """Measure every engine."""
    os.environ.setdefault(BROKER, redis_url(5))
    redis.Redis.from_url(os.environ[BROKER]).flushdb()
    rounds = QUICK_ROUNDS if quick else ROUNDS
    found: list[Figure] = []
    for name in only or kinds("", ""):
        found += _worker(name, rounds)
    return _worst(found) + found


def _worker(name: str, rounds: int) -> list[Figure]:
    """The figures of one kind of worker."""
    tasks = kinds("", "")[name].tasks
    with FakeBrain() as brain, tempfile.TemporaryDirectory() as spool:
        alone = Worker(name, "alone", {"Z4J_ENABLED": "0"})
        observed = Worker(name, "with", {"Z4J_DSN": brain.dsn, "Z4J_SPOOL_DIR": spool})
        try:
            pairs = [_pair(alone, observed, 0, tasks, each) for each in range(rounds + 1)][1:]
            hashes = hashes_in(COMPUTE_S)
            longer = [_pair(alone, observed, hashes, LONGER, each) for each in range(rounds)]
            added_mb = observed.rss_mb() - alone.rss_mb()
            assert len({task.task_id for task in brain.store.tasks}) > rounds * (tasks + LONGER)
        finally:
            alone.stop()
            observed.stop()
    return [
        figure(f"{name}.cpu_us_per_task", added_us, pairs, "µs"),
        figure(f"{name}.throughput_loss_pct", loss_pct, longer, "%"),
        figure(f"{name}.noop_loss_pct", loss_pct, pairs, "%"),
        figure(f"{name}.engine_alone_us", alone_us, pairs, "µs"),
        {"name": f"{name}.rss_mb", "value": round(added_mb, 2), "unit": "MB"},
    ]


def _pair(alone: Worker, observed: Worker, hashes: int, tasks: int, number: int) -> Pair:
    if number % 2:
        two = observed.work(hashes, tasks, number)
        return alone.work(hashes, tasks, number), two
    return alone.work(hashes, tasks, number), observed.work(hashes, tasks, number)


def added_us(pairs: Sequence[Pair]) -> float:
    """Microseconds of CPU a task that the agent adds."""
    return quiet([two.cpu_us for _, two in pairs]) - alone_us(pairs)


def alone_us(pairs: Sequence[Pair]) -> float:
    """Microseconds of CPU a task costs the engine alone."""
    return quiet([one.cpu_us for one, _ in pairs])


def loss_pct(pairs: Sequence[Pair]) -> float:
    """Per cent of its throughput that an observed worker lacks."""
    with_it = quiet([two.wall_s for _, two in pairs])
    return 100 * (1 - quiet([one.wall_s for one, _ in pairs]) / with_it)


def _worst(found: Sequence[Figure]) -> list[Figure]:
    """What is judged of engines with several kinds of worker, and the memory of all."""
    by_name = {each["name"]: each for each in found}
    told: list[Figure] = []
    for engine, workers in WORST.items():
        for what in ("cpu_us_per_task", "throughput_loss_pct"):
            each = [by_name[name] for one in workers if (name := f"{one}.{what}") in by_name]
            if each:
                told.append({**max(each, key=_value), "name": f"{engine}.{what}"})
    memory = [each for each in found if each["name"].endswith(".rss_mb")]
    return [*told, {**max(memory, key=_value), "name": "rss_mb"}]


def _value(told: Figure) -> float:
    return float(told["value"])


def hashes_in(seconds: float) -> int:
    """How many hashes this machine computes in that time."""
    began = time.perf_counter()
    work.compute(20_000)
    return int(20_000 * seconds / (time.perf_counter() - began))


if __name__ == "__main__":
    names = [each for each in sys.argv[1:] if not each.startswith("-")]
    for found in measure("--quick" in sys.argv, names):
        print(found)
