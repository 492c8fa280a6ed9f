"""What only RQ does: hooks in its classes, bytes that are never loaded, serializers, repeats."""

import threading
import time
import zlib
from inspect import signature

import pytest
import rq.job
import rq_shop
from redis import Redis
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.serializers import JSONSerializer
from rq_inside import ThreadWorker, Trap, seams
from z4j_core import Capability, EventKind, Job, Native, TaskNotFound, TaskState, Unsupported
from z4j_core.engine import capabilities
from z4j_core.place import redis_place
from z4j_rq import RQEngine
from z4j_rq.facts import call_in
from z4j_rq.live import LIVE, Live
from z4j_rq.message import pack_fields, unpack
from z4j_rq.names import Names
from z4j_rq.places import client_like
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url
from z4j_testing.signals import eventually

pytestmark = pytest.mark.filterwarnings("default")
ZLIB_BOMB_MIB = 64


@pytest.fixture
def connection():
    made = Redis.from_url(redis_url(12))
    yield made
    made.close()


@pytest.fixture
def queue(connection):
    made = Queue(f"z4j-only-{time.time_ns()}", connection=connection)
    yield made
    made.delete(delete_jobs=True)
    for registry in ("failed", "canceled", "finished", "scheduled"):
        connection.delete(f"rq:{registry}:{made.name}")


@pytest.fixture
def observed(connection, monkeypatch, tmp_path):
    """An engine that is attached, and what it says."""
    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    engine, emit = RQEngine(connection, tasks=["rq_shop"]), Recorder()
    engine.attach(emit)
    yield engine, emit
    engine.detach()
    assert emit.hook_errors == []


def work(queue):
    """Perform all that waits, here and now."""
    ThreadWorker([queue], connection=queue.connection).work(burst=True, logging_level="CRITICAL")


def ends(emit, task_id):
    kinds = {EventKind.SUCCEEDED, EventKind.FAILED, EventKind.CANCELLED, EventKind.RETRYING}
    return [event.kind for event in emit.of(task_id) if event.kind in kinds]


def test_the_last_engine_leaves_the_classes_of_rq_as_they_were(connection):
    kinds = [Queue, rq.job.Job, *seams.worker_classes()]
    names = ("enqueue_job", "dequeue_any", "perform", "cancel", "perform_job", "register_birth")
    if seams._listeners:
        pytest.skip("another rig is attached")
    before = [vars(kind).get(name) for kind in kinds for name in names]
    engine = RQEngine(connection)

    engine.attach(Recorder())
    between = [vars(kind).get(name) for kind in kinds for name in names]
    engine.detach()

    assert between != before
    assert [vars(kind).get(name) for kind in kinds for name in names] == before


def test_a13_nothing_hostile_in_a_job_is_loaded_by_any_verb(observed, connection, queue, tmp_path):
    engine, _ = observed
    mark = tmp_path / "loaded"
    job = queue.enqueue("rq_shop.ok", Trap(str(mark)), meta={"trap": Trap(str(mark))})
    bytes_before = connection.hget(job.key, "data"), connection.hget(job.key, "meta")

    engine.peek(queue.name)
    held = engine.fetch(job.id)
    again = engine.retry(held.native)
    engine.discover()
    engine.cancel(again)
    engine.depth(queue.name)

    assert held.task == "rq_shop.ok"
    assert not mark.exists()
    assert (connection.hget(job.key, "data"), connection.hget(job.key, "meta")) == bytes_before
    engine.cancel(job.id)
    assert not mark.exists()
    assert (connection.hget(job.key, "data"), connection.hget(job.key, "meta")) == bytes_before


def test_requeue_leaves_data_and_meta_as_they_were(observed, connection, queue, tmp_path):
    engine, _ = observed
    mark = tmp_path / "loaded"
    job = queue.enqueue("rq_shop.fail", "x", meta={"mine": [1, 2]}, failure_ttl=60)
    work(queue)
    connection.hset(job.key, "meta", connection.hget(job.key, "meta"))
    before = connection.hget(job.key, "data"), connection.hget(job.key, "meta")

    engine.requeue(queue.name, job.id)

    assert (connection.hget(job.key, "data"), connection.hget(job.key, "meta")) == before
    assert not mark.exists()


def test_a_job_that_unpacks_to_gigabytes_is_refused(observed, connection, queue):
    engine, _ = observed
    job = queue.enqueue("rq_shop.ok", 1)
    connection.hset(job.key, "data", zlib.compress(bytes(ZLIB_BOMB_MIB << 20)))

    assert engine.peek(queue.name).items[0].opaque
    with pytest.raises(Unsupported):
        engine.fetch(job.id)


def test_a_job_of_a_queue_with_json_is_read_and_sent_as_json(observed, connection, queue):
    engine, emit = observed
    json_queue = Queue(queue.name, connection=connection, serializer=JSONSerializer)
    json_queue.enqueue("rq_shop.ok", 1)

    sent = engine.enqueue(Job("rq_shop.ok", (5,), queue=queue.name))

    items = engine.peek(queue.name).items
    assert [list(held.args) for held in items] == [[1], [5]]
    assert connection.hget(f"rq:job:{sent}", "data") is not None
    assert emit.kinds(sent) == [EventKind.ENQUEUED]


def test_a_repeated_job_ends_and_waits_again(observed, queue):
    _, emit = observed
    try:
        from rq import Repeat
    except ImportError:
        pytest.skip("repeat: version")
    job = queue.enqueue("rq_shop.ok", 1, repeat=Repeat(times=1, interval=0), result_ttl=60)

    work(queue)

    assert emit.kinds(job.id) == [
        EventKind.ENQUEUED,
        EventKind.STARTED, EventKind.SUCCEEDED, EventKind.REQUEUED,
        EventKind.STARTED, EventKind.SUCCEEDED,
    ]  # fmt: skip


def test_a_job_without_result_ttl_has_its_end(observed, queue):
    _, emit = observed
    job = queue.enqueue("rq_shop.ok", 1, result_ttl=0)

    work(queue)

    assert ends(emit, job.id) == [EventKind.SUCCEEDED]


def test_an_undecodable_job_ends_failed(observed, connection, queue):
    _, emit = observed
    job = queue.enqueue("rq_shop.ok", 1, failure_ttl=60)
    connection.hset(job.key, "data", b"\x80\x05no pickle")

    work(queue)

    assert ends(emit, job.id) == [EventKind.FAILED]
    assert emit.end(job.id).detail == "undecodable"


def test_jobs_sent_many_at_once_are_told_each(observed, queue):
    _, emit = observed

    jobs = queue.enqueue_many([Queue.prepare_data("rq_shop.ok", (n,)) for n in range(3)])

    assert [emit.kinds(job.id) for job in jobs] == [[EventKind.ENQUEUED]] * 3


def test_a_job_is_told_as_sent_though_a_worker_in_another_thread_was_faster(observed, queue):
    _, emit = observed
    job = queue.create_job("rq_shop.ok", args=(1,))
    begun = threading.Thread(target=lambda: LIVE.update({job.id: Live(None, job)}))
    begun.start()
    begun.join()

    queue.enqueue_job(job)
    del LIVE[job.id]

    assert [event.kind for event in emit.of(job.id)] == [EventKind.ENQUEUED]


def test_a_dependent_is_put_off_until_what_it_needs_has_run(observed, queue):
    _, emit = observed
    first = queue.enqueue("rq_shop.ok", 1, result_ttl=60)
    second = queue.enqueue("rq_shop.ok", 2, depends_on=first, result_ttl=60)

    work(queue)

    assert emit.kinds(second.id) == [
        EventKind.SCHEDULED, EventKind.STARTED, EventKind.SUCCEEDED,
    ]  # fmt: skip
    assert emit.of(second.id)[0].detail == "deferred"


def test_the_app_cancelling_a_job_is_told(observed, queue):
    _, emit = observed
    job = queue.enqueue("rq_shop.ok", 1)

    job.cancel()

    assert [(e.kind, e.detail) for e in emit.of(job.id)][1:] == [(EventKind.CANCELLED, "revoked")]


def test_a_cancelled_job_is_told_once_and_can_be_run_again(observed, queue):
    engine, emit = observed
    job = queue.enqueue("rq_shop.ok", 4)

    engine.cancel(job.id)

    assert ends(emit, job.id) == [EventKind.CANCELLED]
    assert engine.fetch(job.id).state is TaskState.CANCELLED
    again = engine.retry(emit.native(job.id))
    work(queue)
    assert emit.end(again).result == {"sum": 6}


def test_a_due_time_is_refused_where_no_scheduler_runs(observed, queue):
    engine, _ = observed

    with pytest.raises(Unsupported) as refused:
        engine.enqueue(Job("rq_shop.ok", (1,), queue=queue.name, eta=time.time() + 9))

    assert refused.value.reason == "config"


def test_a_priority_is_refused(observed, queue):
    engine, _ = observed

    with pytest.raises(Unsupported):
        engine.enqueue(Job("rq_shop.ok", (1,), queue=queue.name, priority=3))


def test_an_unknown_job_is_not_found(observed):
    engine, _ = observed

    with pytest.raises(TaskNotFound):
        engine.fetch("no-such-job")
    with pytest.raises(TaskNotFound):
        engine.requeue("nowhere", "no-such-job")


def test_what_was_not_packed_here_is_refused():
    with pytest.raises(Unsupported):
        unpack(Native("rq_shop.ok", b"\x00\x00"))


def test_the_depth_tells_how_long_the_first_job_waits(observed, queue):
    engine, _ = observed
    queue.enqueue("rq_shop.ok", 1)

    depth = engine.depth(queue.name)

    assert depth.ready == 1
    assert depth.oldest_s is not None
    assert 0 <= depth.oldest_s < 60


def test_packed_from_the_hash_or_from_the_job_is_the_same(observed, connection, queue):
    engine, emit = observed
    job = queue.enqueue("rq_shop.fail", "x", failure_ttl=60, description="a call")
    work(queue)

    fields = {k.decode(): v for k, v in connection.hgetall(job.key).items()}

    assert pack_fields(job.id, fields) == emit.native(job.id)
    assert engine.fetch(job.id).native == emit.native(job.id)


def test_a_name_is_read_from_a_pickle_without_loading_it(queue, connection):
    job = queue.enqueue("rq_shop.ok", 1, b=2)

    call = call_in(connection.hget(job.key, "data"))

    assert (call.task, list(call.args), call.kwargs) == ("rq_shop.ok", [1], {"b": 2})


def test_a_horse_looks_up_no_task_but_its_own():
    names = Names([])
    names.learn("rq_shop.fail", "mail")
    names.note(b"\x80 no pickle that anybody would read", "mail")

    names.in_horse()
    names.learn("rq_shop.ok", "mail")

    (own,) = names.discover()
    assert own.name == "rq_shop.ok"
    assert [each.name for each in own.params] == list(signature(rq_shop.ok).parameters)
    assert not names._unread


def test_a_worker_learns_the_names_of_what_it_takes(queue, connection):
    names = Names([])
    queue.enqueue("nowhere.task", 1)
    (job_id,) = queue.get_job_ids()

    names.note(connection.hget(f"rq:job:{job_id}", "data"), queue.name)

    assert [(each.name, each.queue) for each in names.discover()] == [("nowhere.task", queue.name)]


def test_a_module_that_does_not_import_is_tried_once():
    names = Names(["no_such_module_anywhere"])

    with pytest.raises(ImportError):
        names.discover()

    assert names.discover() == []


def test_localhost_is_one_place_whatever_it_is_called():
    names = ("localhost", "127.0.0.1")

    places = {redis_place(Redis(host=name, port=6379, db=3).connection_pool) for name in names}

    assert len(places) == 1
    assert redis_place(Redis(host="localhost", port=6379, db=4).connection_pool) not in places


def test_a_verb_has_connections_of_its_own(connection):
    client = client_like(connection)

    assert client.connection_pool is not connection.connection_pool
    assert redis_place(client.connection_pool) == redis_place(connection.connection_pool)
    assert client.ping()
    client.close()


def test_what_needs_a_worker_is_offered_by_workers_alone(observed):
    engine, _ = observed

    offered = capabilities(engine)

    assert Capability.CANCEL in offered
    assert not {Capability.PAUSE, Capability.RESUME, Capability.TERMINATE} & set(offered)


def test_a_queue_that_runs_at_once_tells_nothing(observed, connection):
    _, emit = observed
    now = Queue("z4j-now", connection=connection, is_async=False)

    job = now.enqueue("rq_shop.ok", 1, result_ttl=1)

    assert emit.of(job.id) == []


def test_a_job_taken_by_a_read_that_a_pause_overtook_goes_back_to_the_front(
    observed, connection, queue
):
    engine, _ = observed
    reading = Redis.from_url(redis_url(12), client_name=queue.name)
    told = []

    def read():
        try:
            told.append(Queue.dequeue_any([Queue(queue.name, connection=reading)], 30, reading))
        except DequeueTimeout as error:
            told.append(error)

    def is_blocked():
        return [
            c for c in connection.client_list() if c["name"] == queue.name and "b" in c["flags"]
        ]

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    eventually(is_blocked, "the blocking read")
    engine.pause(queue.name)

    job = queue.enqueue("rq_shop.ok", 1)

    reader.join(30)
    assert [type(each) for each in told] == [DequeueTimeout]
    assert queue.get_job_ids() == [job.id]
    assert connection.llen(f"{queue.key}:intermediate") == 0
    engine.resume(queue.name)
    assert Queue.dequeue_any([queue], None, connection)[0].id == job.id
    reading.close()
