"""Redis is written to by others: what is in a queue is shown or refused, never loaded."""

import json
import time
from itertools import chain

import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.message import Message
from z4j_dramatiq import DramatiqEngine
from z4j_testing.attacks import PLACE, compressed, forms, texts
from z4j_testing.engine.attacks import TestAttacks  # noqa: F401  (these are the tests)
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
ID = "attack"


class Table:
    """A queue whose one message and one dead letter are an attack."""

    def __init__(self, broker):
        self.broker, self.engine = broker, DramatiqEngine(broker)
        self.queue = f"z4j-attacks-{time.time_ns()}"
        self.key = f"{broker.namespace}:{self.queue}"
        broker.declare_queue(self.queue)
        self.message = Message(self.queue, "ok", (PLACE,), {}, {}, ID).asdict()

    def served(self, mark):
        whole = self.message | {"args": [PLACE]}
        head = ", ".join(f'"{k}": {json.dumps(v)}' for k, v in whole.items() if k != "args")
        wrapped = [
            ("JSON: " + name, b'{%b, "args": [%b]}' % (head.encode(), text))
            for name, text in texts().items()
        ]
        for name, data in chain(forms(mark, whole), compressed(mark).items(), wrapped):
            self.put(data)
            yield name, self.acts(data)

    def put(self, data):
        client = self.broker.client
        client.delete(self.key)
        client.rpush(self.key, ID)
        client.hset(f"{self.key}.msgs", ID, data)
        client.zadd(f"{self.key}.XQ", {ID: 1})
        client.hset(f"{self.key}.XQ.msgs", ID, data)

    def acts(self, data):
        engine, queue = self.engine, self.queue
        return {
            "peek": lambda: engine.peek(queue),
            "dead_letters": lambda: engine.dead_letters(queue),
            "depth": lambda: engine.depth(queue),
            "requeue": lambda: (self.put(data), engine.requeue(queue, ID)),
            "purge": lambda: (self.put(data), engine.purge(queue)),
        }

    def clear(self):
        ends = ("", ".msgs", ".DQ", ".DQ.msgs", ".XQ", ".XQ.msgs")
        self.broker.client.delete(*(self.key + end for end in ends))
        self.engine.close()
        self.broker.client.close()
        self.broker.close()


@pytest.fixture(scope="module")
def table():
    made = Table(RedisBroker(url=redis_url(13)))
    made.engine.attach(Recorder())
    yield made
    made.engine.detach()
    made.clear()
