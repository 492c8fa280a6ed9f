"""Redis is written to by others: what is in a job's hash is shown or moved, never loaded."""

import time
from itertools import chain

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from z4j_core import Native, Unsupported
from z4j_rq import RQEngine
from z4j_testing.attacks import PLACE, compressed, forms, texts
from z4j_testing.engine.attacks import TestAttacks  # noqa: F401  (these are the tests)
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
ID = "attack"
CALL = ("rq_shop.ok", None, (PLACE,), {})


class Table:
    """A queue whose one job, which has also failed, holds an attack in each of its fields."""

    def __init__(self, engine):
        self.engine, self.client = engine, engine.client
        self.queue = Queue(f"z4j-attacks-{time.time_ns()}", connection=engine.client)

    def served(self, mark):
        wrapped = [
            ("a queue of JSON: " + name, b'["rq_shop.ok", null, [' + text + b"], {}]")
            for name, text in texts().items()
        ]
        for name, data in chain(forms(mark, CALL), compressed(mark).items(), wrapped):
            self.put(data)
            yield name, self.acts(data)

    def put(self, data, status="queued"):
        now = "2026-01-01T00:00:00.000000Z"
        self.client.hset(f"rq:job:{ID}", mapping={
            "data": data, "meta": data, "result": data, "exc_info": data, "status": status,
            "origin": self.queue.name, "description": "rq_shop.ok()", "created_at": now,
            "enqueued_at": now, "ended_at": now,
        })  # fmt: skip
        self.client.delete(self.queue.key)
        self.client.rpush(self.queue.key, ID)
        self.client.zadd(f"rq:failed:{self.queue.name}", {ID: 1})

    def acts(self, data):
        engine, queue = self.engine, self.queue.name
        try:
            native = engine.fetch(ID).native
        except Unsupported:  # too large, or damaged
            native = Native("rq_shop.ok", data)
        return {
            "peek": lambda: engine.peek(queue),
            "dead_letters": lambda: engine.dead_letters(queue),
            "depth": lambda: engine.depth(queue),
            "fetch": lambda: engine.fetch(ID),
            "retry": lambda: self.retried(native),
            "requeue": lambda: (self.put(data, "failed"), engine.requeue(queue, ID)),
            "cancel": lambda: (self.put(data), engine.cancel(ID)),
            "a name that is looked up": lambda: (
                engine._names.note(data, queue), engine.discover(),
            ),
        }  # fmt: skip

    def retried(self, native):
        new_id = self.engine.retry(native)
        self.client.delete(Job.key_for(new_id))

    def clear(self):
        self.queue.delete(delete_jobs=False)
        name = self.queue.name
        self.client.delete(f"rq:job:{ID}", f"rq:failed:{name}", f"rq:canceled:{name}")
        self.client.close()


@pytest.fixture(scope="module")
def table():
    engine = RQEngine(Redis.from_url(redis_url(13)), tasks=[])
    engine.attach(Recorder())
    made = Table(engine)
    yield made
    engine.detach()
    made.clear()
