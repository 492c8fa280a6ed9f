"""A broker is written to by others: what is in a list of Redis is shown or moved, never loaded."""

import base64
import json
import time
from itertools import chain

import pytest
from celery import Celery
from kombu.message import Message
from z4j_celery import CeleryEngine
from z4j_celery.broker import redis_of
from z4j_celery.message import pack
from z4j_testing.attacks import PLACE, compressed, forms, texts
from z4j_testing.engine.attacks import TestAttacks  # noqa: F401  (these are the tests)
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
PICKLE, JSON = "application/x-python-serialize", "application/json"
BODY = ((PLACE,), {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None})


class Table:
    """A queue whose one message has an attack for its body, or is one."""

    def __init__(self, app):
        self.app, self.engine = app, CeleryEngine(app)
        self.queue = app.conf.task_default_queue
        self.client = redis_of(app)

    def served(self, mark):
        pickles = [(*each, PICKLE) for each in chain(forms(mark, BODY), compressed(mark).items())]
        for name, body, kind in chain(pickles, ((*each, JSON) for each in texts().items())):
            self.put(envelope(body, kind))
            yield name, self.acts(body, kind)
            self.put(body)
            yield f"{name} without an envelope", {"peek": lambda: self.engine.peek(self.queue)}

    def put(self, data):
        self.client.delete(self.queue)
        self.client.lpush(self.queue, data)

    def acts(self, body, kind):
        def retried():
            given = Message(
                body, headers=HEADERS, content_type=kind, content_encoding="binary",
                delivery_info={"exchange": "", "routing_key": self.queue},
            )  # fmt: skip
            self.engine.retry(pack(given), queue=self.queue)
            self.client.ltrim(self.queue, -1, -1)

        return {
            "peek": lambda: self.engine.peek(self.queue),
            "retry": retried,
        }


HEADERS = {"id": "attack", "task": "shop.ok", "lang": "py", "retries": 0, "root_id": "attack"}


def envelope(body, kind):
    """A message as kombu's transport leaves it in Redis."""
    return json.dumps({
        "body": base64.b64encode(body).decode(), "content-type": kind,
        "content-encoding": "binary", "headers": HEADERS,
        "properties": {"body_encoding": "base64", "delivery_tag": "t", "priority": 0,
                       "correlation_id": "attack",
                       "delivery_info": {"exchange": "", "routing_key": "q"}},
    }).encode()  # fmt: skip


@pytest.fixture(scope="module")
def table():
    app = Celery("attacks", broker=redis_url(13), set_as_current=False)
    app.conf.update(task_default_queue=f"z4j-attacks-{time.time_ns()}",
                    accept_content=["json", "pickle"])  # fmt: skip
    made = Table(app)
    made.engine.attach(Recorder())
    yield made
    made.engine.detach()
    made.client.delete(made.queue)
    made.client.close()
    app.close()
