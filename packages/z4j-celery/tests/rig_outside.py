"""Rig B: the worker is another process on a real broker, the agent is real, the brain is a fake.

Only what passes here is advertised as proved.
"""

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import celery_shop
from rig_inside import ENDS, Shop
from z4j_celery import CeleryEngine
from z4j_testing.outside import Outside

HERE = Path(__file__).parent


class RigOutside(Outside, Shop):
    def __init__(self, url, backend, pool, folder, *, options=(), conf=None):
        """`options` go to the worker's command line, `conf` into its app and ours."""
        Outside.__init__(self, "celery", folder)
        self.slots = 1 if pool == "solo" else 2
        broker = "redis" if url.startswith("redis") else "rabbitmq"
        queue = f"z4j-b-{broker}-{pool}-{time.time_ns()}"
        app = celery_shop.make_app(url, backend, queue, folder, conf)
        Shop.__init__(self, app, queue, broker, pool, self.slots, folder)
        self.url, self.backend, self.options, self.conf = url, backend, options, conf or {}
        self.engine = CeleryEngine(app)
        self.hostname = f"b-{pool}-{os.getpid()}@rig"

    def start_worker(self, *, wait=True):
        command = [
            sys.executable, "-m", "celery", "-A", "celery_shop_worker", "worker",
            "-P", self.pool, "-c", str(self.slots), "-n", self.hostname, "-l", "WARNING",
            "-Q", f"{self.queue},{self.queue}-barrier", "--without-mingle", "--without-gossip",
            *self.options,
        ]  # fmt: skip
        self.launch(command, self.environment(), HERE, wait=wait)

    def environment(self):
        return {
            **os.environ, **self.agent(),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")])),
            "RIG_BROKER": self.url, "RIG_BACKEND": self.backend, "RIG_QUEUE": self.queue,
            "RIG_MARKS": str(self.folder), "RIG_CONF": json.dumps(self.conf),
            "C_FORCE_ROOT": "1",
        }  # fmt: skip

    def clear(self):
        with contextlib.ExitStack() as last:
            last.callback(self.app.close)
            for end in ENDS:
                last.callback(self.drop, f"{self.queue}{end}")

    def drop(self, name):
        with self.app.connection_for_write() as connection:
            connection.default_channel.queue_delete(name)
