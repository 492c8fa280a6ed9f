"""Rig B: the worker is another process on a real broker, the agent is real, the brain is a fake.

Only what passes here is advertised as proved. The worker is started as its users start it.
"""

import time
from pathlib import Path

from dramatiq_inside import Shop
from z4j_dramatiq import DramatiqEngine
from z4j_testing.outside import Outside, under_run
from z4j_testing.services import amqp_url, redis_url

HERE = Path(__file__).parent
COMMANDS = {"threads": "dramatiq", "gevent": "dramatiq-gevent"}


def broker_url(broker):
    """URL for a rig; pika wants the name of the usual virtual host spelled out."""
    if broker == "redis":
        return redis_url(8)
    url = amqp_url()
    return f"{url.removesuffix('//')}/%2F" if url.endswith("//") else url


class RigOutside(Outside, Shop):
    def __init__(self, url, pool, folder, *, processes=1, options=(), env=None):
        Outside.__init__(self, "dramatiq", folder)
        Shop.__init__(self, url, f"z4j-b-{pool}-{time.time_ns()}", pool, folder)
        self.processes = processes
        self.options = options
        self.env = env or {}
        self.engine = DramatiqEngine(self.app)

    def start_worker(self, **more):
        command = under_run(
            COMMANDS[self.pool], "dramatiq_shop_worker:broker",
            "--processes", str(self.processes), "--threads", str(self.slots),
            *self.options, "--queues", self.queue, f"{self.queue}-barrier",
        )  # fmt: skip
        self.launch(command, {**self.environment(), **self.env, **more}, HERE)

    def environment(self):
        return {
            "PYTHONPATH": str(HERE), "RIG_BROKER": self.url, "RIG_MARKS": str(self.folder),
            "RIG_QUEUE": self.queue,
        }  # fmt: skip
