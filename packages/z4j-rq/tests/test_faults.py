"""Whatever fails in z4j, jobs of RQ run and end as they would without it."""

import time

import pytest
from redis import Redis
from rq import Queue, Retry
from rq_inside import ThreadWorker
from z4j_rq import RQEngine
from z4j_testing import work
from z4j_testing.engine.faults import TestFaults  # noqa: F401  (these are the tests)
from z4j_testing.faults import Grim
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")
KEPT_S = 60


class Host:
    """A queue, and a worker that performs what waits in it."""

    def __init__(self):
        self.connection = Redis.from_url(redis_url(12))
        self.queue = Queue(f"z4j-faults-{time.time_ns()}", connection=self.connection)
        self.engine = RQEngine(Redis.from_url(redis_url(12)), tasks=[])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.detach()
        self.queue.delete(delete_jobs=True)
        self.connection.delete(*self.connection.scan_iter(f"rq:*:{self.queue.name}", 1000), "none")
        self.connection.close()
        self.engine.client.close()

    def act(self, word, count):
        jobs = [self.sent(kind, word, n) for kind in work.KINDS for n in range(count)]
        ThreadWorker([self.queue], connection=self.connection).work(
            burst=True, logging_level="CRITICAL"
        )
        ends = [self.end(job) for job in jobs]
        for job in jobs:
            job.delete()
        return ends

    def sent(self, kind, word, number):
        return self.queue.enqueue(
            f"z4j_testing.work.{kind}", word, number, Grim(), description=kind,
            result_ttl=KEPT_S, failure_ttl=KEPT_S, retry=Retry(1) if kind == "again" else None,
        )  # fmt: skip

    def end(self, job):
        job.refresh()
        status = str(getattr(job.get_status(), "value", job.get_status()))
        last = job.latest_result()
        told = last.return_value if last.exc_string is None else last.exc_string.splitlines()[-1]
        return f"{status} {told}"


@pytest.fixture
def make_host():
    return Host
