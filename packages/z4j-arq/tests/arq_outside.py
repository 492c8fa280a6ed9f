"""Rig B: the worker is another process on a real Redis, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The worker is started as its users start it.
"""

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from arq_inside import SHOP, Shop
from redis import Redis
from z4j_arq import ArqEngine
from z4j_core import EventKind
from z4j_testing.outside import START_S, Outside

HERE = Path(__file__).parent
AGAIN_S = 5.0
RUN = "import sys; from z4j_core.cli.run import main; sys.exit(main(sys.argv[1:]))"


class RigOutside(Outside, Shop):
    def __init__(self, url, folder):
        Outside.__init__(self, "arq", folder)
        Shop.__init__(self, url, f"z4j-b-{time.time_ns()}", folder)
        self.engine = ArqEngine(Redis.from_url(url), tasks=[SHOP])
        self.handle = self.worker = None

    def start(self):
        self.observe()
        self.start_worker()
        first = self.send("ok", 1)  # the producer's agent starts with its first fact
        self.wait(first, EventKind.ENQUEUED)
        self.end(first)
        return self

    def start_worker(self, settings="arq_shop.WorkerSettings", **more):
        arq = shutil.which("arq", path=str(Path(sys.executable).parent))
        command = [sys.executable, "-c", RUN, "--", arq, settings]
        self.launch(command, {**self.environment(), **more}, HERE)

    def stop_worker(self, how=signal.SIGTERM):
        """As its users do: now and then the Redis client of a worker swallows the first SIGTERM."""
        if how == signal.SIGTERM:
            for _ in range(int(START_S / AGAIN_S)):
                self.worker.send_signal(how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.worker.wait(AGAIN_S)
                    break
        return super().stop_worker(how)

    def environment(self):
        return {
            "PYTHONPATH": str(HERE), "RIG_BROKER": self.url, "RIG_MARKS": str(self.folder),
            "RIG_QUEUE": self.queue,
        }  # fmt: skip

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
