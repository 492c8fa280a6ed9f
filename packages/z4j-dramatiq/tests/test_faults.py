"""Whatever fails in z4j, messages of Dramatiq are processed as they would be without it."""

import threading

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware
from dramatiq.worker import Worker
from z4j_dramatiq import DramatiqEngine
from z4j_testing import work
from z4j_testing.engine.faults import TestFaults  # noqa: F401  (these are the tests)

pytestmark = pytest.mark.filterwarnings("default")
WAIT_S = 60


class Seen(Middleware):
    """The app's own: how each message ended, every time it did."""

    def __init__(self):
        self.ends = {}
        self.changed = threading.Condition()

    def after_process_message(self, broker, message, *, result=None, exception=None):
        with self.changed:
            ends = self.ends.setdefault(message.message_id, [])
            ends.append(str(result) if exception is None else repr(exception))
            self.changed.notify_all()


class Host:
    """A broker in memory, and a worker with two threads."""

    def __init__(self):
        self.seen = Seen()
        self.broker = StubBroker()
        self.broker.add_middleware(self.seen)
        self.broker.emit_after("process_boot")
        self.actors = {
            kind: dramatiq.actor(
                broker=self.broker, max_retries=int(kind == "again"), min_backoff=1, max_backoff=2
            )(getattr(work, kind))
            for kind in work.KINDS
        }
        self.engine = DramatiqEngine(self.broker)
        self.worker = Worker(self.broker, worker_timeout=50, worker_threads=2)

    def __enter__(self):
        self.worker.start()
        return self

    def __exit__(self, *_):
        self.worker.stop()
        self.engine.detach()
        self.broker.close()

    def act(self, word, count):
        sent = [
            (self.actors[kind].send(word, number).message_id, 1 + (kind == "again"))
            for kind in work.KINDS
            for number in range(count)
        ]
        with self.seen.changed:
            assert self.seen.changed.wait_for(lambda: self.have_ended(sent), WAIT_S)
        return ["; ".join(self.seen.ends.pop(message_id)) for message_id, _ in sent]

    def have_ended(self, sent):
        return all(len(self.seen.ends.get(message_id, ())) >= times for message_id, times in sent)


@pytest.fixture
def make_host():
    return Host
