"""Redis is written to by others: what is in a job's or a result's key is shown, never loaded."""

import time
from itertools import chain

import pytest
from redis import Redis
from z4j_arq import ArqEngine
from z4j_testing.attacks import PLACE, compressed, forms, texts
from z4j_testing.engine.attacks import TestAttacks  # noqa: F401  (these are the tests)
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
ID, DONE = "attack", "attack-done"
JOB = {"t": None, "f": "ok", "a": (PLACE,), "k": {}, "et": 1_700_000_000_000}


class Table:
    """A queue whose one job is an attack, and a result that is one."""

    def __init__(self, engine):
        self.engine, self.client = engine, engine.client
        self.queue = f"z4j-attacks-{time.time_ns()}"
        engine.pools.see(self.queue)

    def served(self, mark):
        wrapped = [
            ("a queue of JSON: " + name, b'{"f": "ok", "k": {}, "a": [' + text + b"]}")
            for name, text in texts().items()
        ]
        for name, data in chain(forms(mark, JOB), compressed(mark).items(), wrapped):
            self.put(data)
            self.client.set(f"arq:result:{DONE}", data)
            yield name, self.acts(data)

    def put(self, data):
        self.client.set(f"arq:job:{ID}", data)
        self.client.zadd(self.queue, {ID: 1})
        self.client.delete(f"arq:in-progress:{ID}")

    def acts(self, data):
        engine, native = self.engine, self.engine.fetch(ID).native
        return {
            "peek": lambda: engine.peek(self.queue),
            "depth": lambda: engine.depth(self.queue),
            "fetch": lambda: engine.fetch(ID),
            "fetch of a result": lambda: engine.fetch(DONE),
            "retry": lambda: self.retried(native),
            "cancel": lambda: (self.put(data), engine.cancel(ID)),
        }

    def retried(self, native):
        new_id = self.engine.retry(native)
        self.client.delete(f"arq:job:{new_id}")
        self.client.zrem(self.queue, new_id)

    def clear(self):
        self.client.delete(f"arq:job:{ID}", f"arq:result:{DONE}", f"arq:in-progress:{ID}")
        self.client.delete(self.queue)
        self.client.close()


@pytest.fixture(scope="module")
def table():
    engine = ArqEngine(Redis.from_url(redis_url(13)), tasks=[])
    engine.attach(Recorder())
    made = Table(engine)
    yield made
    engine.detach()
    made.clear()
