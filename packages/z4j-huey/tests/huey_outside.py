"""Rig B: the worker is another process on a real storage, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The consumer is started as its users start it.
"""

import os
import time
from pathlib import Path

from huey_inside import Shop
from z4j_core import Capability
from z4j_testing.outside import Outside, under_run

HERE = Path(__file__).parent
BEATS = 4


class RigOutside(Outside, Shop):
    patience_s = 40.0

    def __init__(self, broker, pool, where, folder, *, options=()):
        """`options` go to the consumer's command line."""
        Outside.__init__(self, "huey", folder)
        Shop.__init__(self, broker, pool, where, folder, f"z4jb{pool}{time.time_ns()}")
        self.options = options
        self.is_paused = False

    def observe(self):
        super().observe()
        for engine in self.engines.values():
            self.handle.attach(engine)

    def start_worker(self, **more):
        command = under_run(
            "huey_consumer", "huey_app.huey", "-k", self.pool, "-w", "1", "-c", "1", "-m", "0.5",
            "-q", *self.options,
        )  # fmt: skip
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

    def looks(self):
        beats = len(self.brain.store.beats)
        self.brain.wait_for(lambda: len(self.brain.store.beats) > beats + BEATS, self.patience_s)

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
