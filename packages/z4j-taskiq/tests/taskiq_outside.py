"""Rig B: the worker is another process on a real broker, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The worker is started as its users start it.
"""

import contextlib
import shutil
import signal
import sys
import time
from pathlib import Path

import taskiq_brokers
from taskiq_inside import LACKS, SLOTS, Shop, Trap, park_a_pickle
from z4j_core import EventKind
from z4j_taskiq import TaskiqEngine
from z4j_testing.outside import Outside

HERE = Path(__file__).parent
BEATS = 4
PATIENCE_S = 40.0
STOPS_BY = {"redis-stream": signal.SIGKILL}
"""taskiq 0.13 does not always stop when it reads a stream, with or without z4j."""
RUN = "import sys; from z4j_core.cli.run import main; sys.exit(main(sys.argv[1:]))"


class RigOutside(Shop, Outside):
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
        self.handle = self.worker = None

    def start(self):
        self.observe()
        self.start_worker()
        self.loop.run(self.sender.startup())
        for other in self.others.values():
            self.loop.run(other.startup())
        first = self.send("ok", 1)  # the producer's agent starts with its first fact
        self.wait(first, EventKind.ENQUEUED)
        self.end(first)
        return self

    def start_worker(self, **more):
        taskiq = shutil.which("taskiq", path=str(Path(sys.executable).parent))
        command = [
            sys.executable, "-c", RUN, "--", taskiq, "worker", "taskiq_brokers:broker",
            "--workers", "1", "--max-async-tasks", str(SLOTS), *self.options,
        ]  # fmt: skip
        environment = {
            "PYTHONPATH": str(HERE), "RIG_CELL": self.cell, "RIG_BROKER": self.url,
            "RIG_QUEUE": self.queue, "RIG_MARKS": str(self.folder),
        }  # fmt: skip
        self.launch(command, {**environment, **more}, HERE)

    def idle(self):
        """The worker's agent has said a few times that it lives."""
        beats = len(self.brain.store.beats)
        self.until(lambda: len(self.brain.store.beats) > beats + BEATS, "beats", PATIENCE_S)

    def wait(self, task_id, kind, *, attempt=None, timeout_s=PATIENCE_S):
        return Outside.wait(self, task_id, kind, attempt=attempt, timeout_s=timeout_s)

    def end(self, task_id, *, timeout_s=PATIENCE_S):
        return Outside.end(self, task_id, timeout_s=timeout_s)

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

    def stop(self):
        """Whatever fails on the way, nothing of it is left."""
        with contextlib.ExitStack() as last:
            last.callback(self.loop.close)
            last.callback(lambda: self.loop.run(self.clear()))
            for each in (self.sender, *self.others.values()):
                last.callback(self.close, each)
            last.callback(self.brain.stop)
            last.callback(self.handle.close)
            last.callback(self.kill_worker)
            if self.worker is not None and self.worker.poll() is None:
                self.stop_worker(STOPS_BY.get(self.cell, signal.SIGTERM))

    def close(self, broker):
        self.loop.run(broker.shutdown())

    def clear(self):
        return taskiq_brokers.clear(self.cell, self.url, self.queue)
