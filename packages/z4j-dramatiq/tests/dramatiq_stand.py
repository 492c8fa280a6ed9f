"""A broker of Dramatiq with the tasks of the shop, observed, and a worker when it is wanted."""

import json

import dramatiq_shop
from dramatiq.brokers.redis import RedisBroker
from dramatiq.message import Message
from dramatiq.worker import Worker
from z4j_core.model.tasks import ENDS
from z4j_dramatiq import DramatiqEngine
from z4j_testing.recorder import Recorder
from z4j_testing.signals import eventually


class Stand:
    """A broker with the tasks of the shop, observed, and a worker when it is wanted."""

    def __init__(self, broker, queue, folder):
        self.broker, self.queue, self.folder = broker, queue, folder
        self.actors = dramatiq_shop.declare(broker, queue)
        self.engine, self.emit = DramatiqEngine(broker), Recorder()
        self.engine.attach(self.emit)
        self.worker = None

    def work(self, threads=1):
        self.broker.emit_after("process_boot")
        self.worker = Worker(
            self.broker, queues={self.queue}, worker_threads=threads, worker_timeout=50
        )
        self.worker.start()
        return self

    def rest(self):
        if self.worker is not None:
            self.worker.stop(timeout=5000)
            self.worker = None

    def send(self, task, *args, delay=None, **options):
        message = Message(self.queue, task, args, {}, options)
        return self.broker.enqueue(message, delay=delay).message_id

    def began(self, token):
        file = self.folder / "began.jsonl"
        eventually(lambda: file.exists() and json.dumps(token) in file.read_text(), token)

    def release(self, token):
        (self.folder / f"release-{token}").touch()

    def ends(self, task_id):
        return [kind for kind in self.emit.kinds(task_id) if kind in ENDS]

    def key(self, end=""):
        return f"dramatiq:{self.queue}{end}"

    def close(self):
        """End all of it and leave no key behind."""
        self.rest()
        self.engine.detach()
        if isinstance(self.broker, RedisBroker):
            client = self.broker.client
            for key in list(client.scan_iter(f"*{self.queue}*", 1000)):
                client.delete(key)
            client.close()
        self.engine.close()
        assert self.emit.hook_errors == []
