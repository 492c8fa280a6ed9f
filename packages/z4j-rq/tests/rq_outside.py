"""Rig B: the worker is another process on a real Redis, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The worker is started as its users start it.
"""

import time
from pathlib import Path

from redis import Redis
from rq_inside import Shop
from z4j_rq import RQEngine
from z4j_testing.outside import Outside, under_run

HERE = Path(__file__).parent
CLASSES = {"fork": "rq.Worker", "simple": "rq.SimpleWorker", "spawn": "rq.worker.SpawnWorker"}


class RigOutside(Outside, Shop):
    patience_s = 60.0
    """A horse that starts as a new interpreter takes seconds, on a busy machine many."""

    def __init__(self, url, pool, folder, *, options=(), worker_class=None):
        """`options` go to the worker's command line."""
        Outside.__init__(self, "rq", folder)
        Shop.__init__(self, url, f"z4j-b-{pool}-{time.time_ns()}", pool, folder)
        self.options = options
        self.worker_class = worker_class or CLASSES[pool]
        self.engine = RQEngine(Redis.from_url(url), tasks=["rq_shop"])

    def start_worker(self, **more):
        command = under_run(
            "rq", "worker", "-u", self.url, "-w", self.worker_class,
            "-n", f"b-{self.pool}-{time.time_ns()}", "--with-scheduler", "--logging_level",
            "WARNING", *self.options, self.queue, f"{self.queue}-barrier",
        )  # fmt: skip
        self.launch(command, {**self.environment(), **more}, HERE)

    def environment(self):
        return {
            "PYTHONPATH": str(HERE), "RIG_BROKER": self.url, "RIG_MARKS": str(self.folder),
            "Z4J_RQ_TASKS": "rq_shop",
        }  # fmt: skip
