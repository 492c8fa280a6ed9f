"""Rig B: the worker is another process on a real broker, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The worker is started as its users start it.
"""

import contextlib
import signal
import time
from pathlib import Path

import taskiq_brokers
from taskiq_inside import LACKS, SLOTS, Shop, Trap, park_a_pickle
from z4j_taskiq import TaskiqEngine
from z4j_testing.outside import Outside, under_run

HERE = Path(__file__).parent
BEATS = 4
STOPS_BY = {"redis-stream": signal.SIGKILL}
"""taskiq 0.13 does not always stop when it reads a stream, with or without z4j."""


class RigOutside(Shop, Outside):
    patience_s = 40.0

    def __init__(self, cell, url, folder, *, options=()):
        """`options` go to the worker's command line."""
        Outside.__init__(self, "taskiq", folder)
        queue = f"z4j-b-{time.time_ns()}"
        Shop.__init__(self, cell, url, queue, folder)
        can_route = cell in taskiq_brokers.ROUTES
        self.lacks = LACKS if can_route else LACKS | {"routing": "broker"}
        for gained in taskiq_brokers.GAINS.get(cell, ()):
            self.lacks = {key: value for key, value in self.lacks.items() if key != gained}
        self.options = options
        self.sender = taskiq_brokers.make(cell, url, queue, taskiq_brokers.names(queue)[1:])
        others = () if can_route else taskiq_brokers.names(queue)[1:]
        self.others = {name: taskiq_brokers.make(cell, url, name) for name in others}
        self.engine = TaskiqEngine(self.sender)
        self.ends_by = STOPS_BY.get(cell, signal.SIGTERM)

    def observe(self):
        super().observe()
        for sender in (self.sender, *self.others.values()):
            self.loop.run(sender.startup())

    def start_worker(self, **more):
        command = under_run(
            "taskiq", "worker", "taskiq_brokers:broker", "--workers", "1",
            "--max-async-tasks", str(SLOTS), *self.options,
        )  # fmt: skip
        environment = {
            "PYTHONPATH": str(HERE), "RIG_CELL": self.cell, "RIG_BROKER": self.url,
            "RIG_QUEUE": self.queue, "RIG_MARKS": str(self.folder),
        }  # fmt: skip
        self.launch(command, {**environment, **more}, HERE)

    def idle(self):
        """The worker's agent has said a few times that it lives."""
        beats = len(self.brain.store.beats)
        self.until(lambda: len(self.brain.store.beats) > beats + BEATS, "beats", self.patience_s)

    def hostile(self, queue):
        parked = park_a_pickle(self.engine, queue, Trap(str(self.folder / "loaded.jsonl")))
        if self.cell != "nats":
            return parked
        raw, task_id = parked
        self.loop.run(self.sender.js.publish(queue, raw))
        return task_id

    def sender_to(self, queue):
        """Where the sender cannot name it, each queue has a broker of its own."""
        return self.others.get(queue, self.sender)

    def clear(self):
        with contextlib.ExitStack() as last:
            last.callback(self.loop.close)
            last.callback(
                lambda: self.loop.run(taskiq_brokers.clear(self.cell, self.url, self.queue))
            )
            for sender in (self.sender, *self.others.values()):
                last.callback(lambda sender=sender: self.loop.run(sender.shutdown()))
