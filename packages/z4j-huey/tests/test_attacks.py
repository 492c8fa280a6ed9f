"""A storage is written to by others: what is in a queue is shown, never loaded."""

import time
from itertools import chain

import pytest
from huey.registry import Message
from huey_inside import instance
from z4j_huey.message import read
from z4j_huey.places import adapt
from z4j_testing.attacks import PLACE, compressed, forms
from z4j_testing.engine.attacks import TestAttacks  # noqa: F401  (these are the tests)
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
MESSAGE = Message("attack", "huey_shop.ok", args=(PLACE,), kwargs={})


class Table:
    """A queue whose one message is an attack."""

    def __init__(self, huey):
        self.huey, self.engine = huey, adapt(huey)

    def served(self, mark):
        for name, data in chain(forms(mark, MESSAGE), compressed(mark).items()):
            self.put(data)
            yield (
                name,
                {
                    "peek": lambda: self.engine.peek(self.huey.name),
                    "depth": lambda: self.engine.depth(self.huey.name),
                    "what could not be decoded": lambda data=data: read(data),
                    "purge": lambda data=data: (self.put(data), self.engine.purge(self.huey.name)),
                },
            )

    def put(self, data):
        self.huey.storage.flush_queue()
        self.huey.storage.enqueue(data, 0)


@pytest.fixture(scope="module", params=["redis", "sqlite", "file"])
def table(request, tmp_path_factory):
    is_redis = request.param == "redis"
    where = redis_url(13) if is_redis else tmp_path_factory.mktemp("storage")
    huey = instance(request.param, f"attacks{time.time_ns()}", where)
    yield Table(huey)
    huey.flush()
    huey.storage.close()
    if is_redis:
        huey.storage.conn.close()
