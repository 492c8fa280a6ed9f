"""Redis is written to by others: what is in a list or a stream is shown, never loaded."""

import time
from itertools import chain

import pytest
import taskiq_brokers
from taskiq.serializers import PickleSerializer
from z4j_core import Scope
from z4j_taskiq import TaskiqEngine
from z4j_taskiq.message import read
from z4j_testing.attacks import PLACE, compressed, forms, texts
from z4j_testing.engine.attacks import TestAttacks  # noqa: F401  (these are the tests)
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
ID = "attack"
MESSAGE = {
    "task_id": ID, "task_name": "taskiq_shop:ok", "labels": {}, "labels_types": {},
    "args": [PLACE], "kwargs": {},
}  # fmt: skip


class Table:
    """A queue whose one message is an attack."""

    def __init__(self, cell):
        self.cell, self.queue = cell, f"z4j-attacks-{time.time_ns()}"
        broker = taskiq_brokers.make(cell, redis_url(13), self.queue)
        broker.with_serializer(PickleSerializer())
        self.engine = TaskiqEngine(broker)
        self.client = self.engine.stores[0].client
        self.serializer = broker.serializer

    def served(self, mark):
        head = b'{"task_id": "attack", "task_name": "ok", "labels": {}, "kwargs": {}, "args": ['
        wrapped = [("JSON: " + name, head + text + b"]}") for name, text in texts().items()]
        for name, data in chain(forms(mark, MESSAGE), compressed(mark).items(), wrapped):
            self.put(data)
            yield name, self.acts(data)

    def put(self, data):
        self.client.delete(self.queue)
        if self.cell == "redis-stream":
            self.client.xadd(self.queue, {"data": data})
        else:
            self.client.lpush(self.queue, data)

    def acts(self, data):
        engine, queue = self.engine, self.queue
        return {
            "peek": lambda: engine.peek(queue),
            "depth": lambda: engine.depth(queue),
            "what a worker looks at first": lambda: read(data, self.serializer),
            "cancel": lambda: (self.put(data), engine.cancel(ID, scope=Scope.BROKER)),
            "purge": lambda: (self.put(data), engine.purge(queue)),
        }


@pytest.fixture(scope="module", params=["redis-list", "redis-stream"])
def table(request):
    made = Table(request.param)
    made.engine.attach(Recorder())
    yield made
    made.engine.detach()
    made.client.delete(made.queue)
    made.client.close()
