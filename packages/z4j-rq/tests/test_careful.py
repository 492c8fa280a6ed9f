"""What the adapter leaves alone: ends that were not stored, jobs of others, endless bytes."""

import threading
import time
import zlib
from types import SimpleNamespace

import pytest
from redis import Redis
from rq import Queue, Retry
from rq_inside import ThreadWorker
from z4j_core import EventKind, Scope, Stop, TaskState, Unsupported
from z4j_rq import RQEngine
from z4j_rq.live import LIVE, Live
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url
from z4j_testing.signals import WAIT_S, eventually

pytestmark = pytest.mark.filterwarnings("default")
ENDS = {EventKind.SUCCEEDED, EventKind.FAILED, EventKind.CANCELLED, EventKind.RETRYING}
BOMB_MIB = 64


@pytest.fixture
def queue():
    connection = Redis.from_url(redis_url(12))
    made = Queue(f"z4j-careful-{time.time_ns()}", connection=connection)
    yield made
    made.delete(delete_jobs=True)
    connection.delete(*connection.scan_iter(f"rq:*:{made.name}", 1000), "none")
    connection.close()


@pytest.fixture
def observed(queue, monkeypatch, tmp_path):
    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    engine, emit = RQEngine(Redis.from_url(redis_url(12)), tasks=["rq_shop"]), Recorder()
    engine.attach(emit)
    yield engine, emit
    engine.detach()
    engine.client.close()
    assert emit.hook_errors == []


def ends(emit, task_id):
    return [kind for kind in emit.kinds(task_id) if kind in ENDS]


class Forgetful(ThreadWorker):
    """A worker whose Redis is away when a result is to be stored."""

    def handle_job_success(self, *args, **kwargs):
        started = self.connection.pipeline

        def away(*_, **__):
            raise ConnectionError("away")

        self.connection.pipeline = away
        try:
            return super().handle_job_success(*args, **kwargs)
        finally:
            self.connection.pipeline = started


def test_an_end_that_could_not_be_stored_is_not_told(observed, queue):
    _, emit = observed
    job = queue.enqueue("rq_shop.ok", 1)
    worker = Forgetful([queue], connection=Redis.from_url(redis_url(12)))

    worker.work(burst=True, logging_level="CRITICAL")

    assert EventKind.SUCCEEDED not in emit.kinds(job.id)
    worker.connection.close()


def test_who_does_not_run_a_job_leaves_it_alone(observed, queue):
    engine, emit = observed
    job = queue.enqueue("rq_shop.ok", 1)
    queue.connection.hset(job.key, "status", "started")
    queue.connection.lrem(queue.key, 1, job.id)

    answer = engine.cancel(job.id, scope=Scope.BROKER)

    assert answer is Stop.NOT_HERE
    assert engine.fetch(job.id).state is TaskState.RUNNING
    assert ends(emit, job.id) == []


def cancelled_while_it_runs(engine, queue):
    """A job that swallows exceptions, cancelled in its own code, and the worker that ran it."""
    job = queue.enqueue("rq_shop.swallows", "never", failure_ttl=60)
    worker = ThreadWorker([queue], connection=Redis.from_url(redis_url(12)))
    working = threading.Thread(
        target=lambda: worker.work(burst=True, logging_level="CRITICAL"), daemon=True
    )
    working.start()
    eventually(lambda: job.id in LIVE and LIVE[job.id].is_armed, "the job's own code")
    engine.cancel(job.id)
    working.join(WAIT_S)
    return job, worker, working


def test_a_cancelled_job_that_catches_exceptions_does_not_go_on(observed, queue, tmp_path):
    engine, emit = observed

    job, worker, working = cancelled_while_it_runs(engine, queue)

    assert not working.is_alive()
    assert ends(emit, job.id) == [EventKind.CANCELLED]
    assert (tmp_path / "finally.jsonl").exists()
    assert not (tmp_path / "swallowed.jsonl").exists()
    worker.connection.close()


def test_the_mark_of_a_cancel_does_not_outlive_its_job(observed, queue):
    engine, emit = observed

    job, worker, _ = cancelled_while_it_runs(engine, queue)

    assert emit.end(job.id).kind is EventKind.CANCELLED
    assert worker._stopped_job_id is None
    worker.connection.close()


def test_a_failure_that_unpacks_to_gigabytes_is_not_requeued(observed, queue):
    engine, _ = observed
    job = queue.enqueue("rq_shop.fail", "x", failure_ttl=60)
    ThreadWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")
    queue.connection.hset(job.key, "exc_info", zlib.compress(bytes(BOMB_MIB << 20)))

    with pytest.raises(Unsupported):
        engine.requeue(queue.name, job.id)

    assert engine.fetch(job.id).state is TaskState.FAILED


def test_attaching_again_forgets_nothing(observed, queue):
    engine, _ = observed
    engine.pause(queue.name)

    engine.attach(Recorder())

    job = queue.enqueue("rq_shop.ok", 1)
    assert Queue.dequeue_any([queue], None, queue.connection) is None
    engine.resume(queue.name)
    assert Queue.dequeue_any([queue], None, queue.connection)[0].id == job.id


def test_a_retry_that_waits_is_no_new_task(observed, queue):
    _, emit = observed
    job = queue.enqueue("rq_shop.fail", "x", retry=Retry(1, interval=60), failure_ttl=60)

    ThreadWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")

    told = emit.of(job.id)
    assert [event.kind for event in told] == [
        EventKind.ENQUEUED, EventKind.STARTED, EventKind.RETRYING,
    ]  # fmt: skip
    assert told[-1].due_at is not None


def test_an_interrupt_of_a_job_whose_code_has_returned_says_so():
    worker, job = SimpleNamespace(_stopped_job_id=None), SimpleNamespace(id="over")
    live = Live(worker, job)
    live.perform(lambda _job: "done", job)
    interrupted = []

    is_asked = live.interrupt(lambda *where: interrupted.append(where))

    assert not is_asked
    assert interrupted == []
    assert worker._stopped_job_id is None
