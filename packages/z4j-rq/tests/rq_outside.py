"""Rig B: the worker is another process on a real Redis, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The worker is started as its users start it.
"""

import contextlib
import shutil
import sys
import time
from pathlib import Path

from redis import Redis
from rq_inside import Shop, numbered
from z4j_core import EventKind
from z4j_rq import RQEngine
from z4j_testing.outside import Outside

PATIENCE_S = 60.0
"""A horse that starts as a new interpreter takes seconds, on a busy machine many."""
HERE = Path(__file__).parent
RUN = "import sys; from z4j_core.cli.run import main; sys.exit(main(sys.argv[1:]))"
CLASSES = {"fork": "rq.Worker", "simple": "rq.SimpleWorker", "spawn": "rq.worker.SpawnWorker"}


class RigOutside(Outside, Shop):
    def __init__(self, url, pool, folder, *, options=(), worker_class=None):
        """`options` go to the worker's command line."""
        Outside.__init__(self, "rq", folder)
        Shop.__init__(self, url, f"z4j-b-{pool}-{time.time_ns()}", pool, folder)
        self.options = options
        self.worker_class = worker_class or CLASSES[pool]
        self.engine = RQEngine(Redis.from_url(url), tasks=["rq_shop"])
        self.handle = self.worker = None

    def start(self):
        self.observe()
        self.start_worker()
        first = self.send("ok", 1)  # the producer's agent starts with its first fact
        self.wait(first, EventKind.ENQUEUED)
        self.end(first)
        return self

    def start_worker(self, **more):
        rq = shutil.which("rq", path=str(Path(sys.executable).parent))
        command = [
            sys.executable, "-c", RUN, "--", rq, "worker", "-u", self.url, "-w", self.worker_class,
            "-n", f"b-{self.pool}-{time.time_ns()}", "--with-scheduler", "--logging_level",
            "WARNING", *self.options, self.queue, f"{self.queue}-barrier",
        ]  # fmt: skip
        self.launch(command, {**self.environment(), **more}, HERE)

    def environment(self):
        return {
            "PYTHONPATH": str(HERE), "RIG_BROKER": self.url, "RIG_MARKS": str(self.folder),
            "Z4J_RQ_TASKS": "rq_shop",
        }  # fmt: skip

    def of(self, task_id):
        return numbered(super().of(task_id))

    def wait(self, task_id, kind, *, attempt=None, timeout_s=PATIENCE_S):
        return Outside.wait(self, task_id, kind, attempt=attempt, timeout_s=timeout_s)

    def end(self, task_id, *, timeout_s=PATIENCE_S):
        return Outside.end(self, task_id, timeout_s=timeout_s)

    def stop(self):
        """Whatever fails on the way, nothing of it is left."""
        with contextlib.ExitStack() as last:
            last.callback(self.clear)
            last.callback(self.engine.client.close)
            last.callback(self.brain.stop)
            last.callback(self.handle.close)
            last.callback(self.kill_worker)
            if self.worker is not None and self.worker.poll() is None:
                self.stop_worker()
