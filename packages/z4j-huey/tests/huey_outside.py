"""Rig B: the worker is another process on a real storage, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The consumer is started as its users start it.
"""

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path

from huey_inside import Shop, numbered
from z4j_core import Capability, EventKind
from z4j_testing.outside import Outside

PATIENCE_S = 40.0
HERE = Path(__file__).parent
RUN = "import sys; from z4j_core.cli.run import main; sys.exit(main(sys.argv[1:]))"
BEATS = 4


class RigOutside(Outside, Shop):
    def __init__(self, broker, pool, where, folder, *, options=()):
        """`options` go to the consumer's command line."""
        Outside.__init__(self, "huey", folder)
        Shop.__init__(self, broker, pool, where, folder, f"z4jb{pool}{time.time_ns()}")
        self.options = options
        self.handle = self.worker = None
        self.is_paused = False

    def start(self):
        self.observe()
        for engine in self.engines.values():
            self.handle.attach(engine)
        self.start_worker()
        first = self.send("ok", 1)  # the producer's agent starts with its first fact
        self.wait(first, EventKind.ENQUEUED)
        self.end(first)
        return self

    def start_worker(self, **more):
        consumer = shutil.which("huey_consumer", path=str(Path(sys.executable).parent))
        command = [
            sys.executable, "-c", RUN, "--", consumer, "huey_app.huey", "-k", self.pool, "-w", "1",
            "-c", "1", "-m", "0.5", "-q", *self.options,
        ]  # fmt: skip
        self.launch(command, {**self.environment(), **more}, HERE)

    def environment(self):
        return {
            "PYTHONPATH": str(HERE), "RIG_BROKER": self.broker, "RIG_QUEUE": self.queue,
            "RIG_WHERE": str(self.where), "RIG_POOL": self.pool, "RIG_MARKS": str(self.folder),
        }  # fmt: skip

    def stream(self, role):
        """Of others than workers, this process: a scheduler that was forked tells of itself too."""
        if role == "worker":
            return Outside.stream(self, role)
        mine = [each for each in self.brain.store.registers if each.pid == os.getpid()]
        return mine[-1].stream

    def of(self, task_id):
        return numbered(super().of(task_id))

    def wait(self, task_id, kind, *, attempt=None, timeout_s=PATIENCE_S):
        return Outside.wait(self, task_id, kind, attempt=attempt, timeout_s=timeout_s)

    def end(self, task_id, *, timeout_s=PATIENCE_S):
        return Outside.end(self, task_id, timeout_s=timeout_s)

    def looks(self):
        beats = len(self.brain.store.beats)
        self.brain.wait_for(lambda: len(self.brain.store.beats) > beats + BEATS, PATIENCE_S)

    def verb(self, verb, **params):
        """Ask the engine of the queue; a worker that is paused stays so until it is resumed."""
        job = params.get("job")
        own, self.engine = self.engine, self.engine_of(params.get("queue") or (job and job.queue))
        try:
            answer = Outside.verb(self, verb, **params)
        finally:
            self.engine = own
        if verb in (Capability.PAUSE, Capability.RESUME):
            self.is_paused = verb is Capability.PAUSE
        return answer

    def stop(self):
        """Whatever fails on the way, nothing of it is left."""
        with contextlib.ExitStack() as last:
            last.callback(self.clear)
            last.callback(self.brain.stop)
            last.callback(self.handle.close)
            last.callback(self.kill_worker)
            if self.worker is not None and self.worker.poll() is None:
                self.stop_worker()
