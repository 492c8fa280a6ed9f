"""Rig B: the worker is another process on a real Redis, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The worker is started as its users start it.
"""

import contextlib
import signal
import subprocess
import time
from pathlib import Path

from arq_inside import SHOP, Shop
from redis import Redis
from z4j_arq import ArqEngine
from z4j_testing.outside import START_S, Outside, under_run

HERE = Path(__file__).parent
AGAIN_S = 5.0


class RigOutside(Outside, Shop):
    def __init__(self, url, folder):
        Outside.__init__(self, "arq", folder)
        Shop.__init__(self, url, f"z4j-b-{time.time_ns()}", folder)
        self.engine = ArqEngine(Redis.from_url(url), tasks=[SHOP])

    def start_worker(self, settings="arq_shop.WorkerSettings", **more):
        self.launch(under_run("arq", settings), {**self.environment(), **more}, HERE)

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
