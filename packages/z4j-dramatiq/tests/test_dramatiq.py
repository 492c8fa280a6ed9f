"""What only Dramatiq does: middleware on all sides, messages that come back, queues that stop."""

import asyncio
import json
import threading
import time

import dramatiq
import dramatiq_shop
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.encoder import PickleEncoder
from dramatiq.message import Message
from dramatiq.middleware import Middleware, Retries, SkipMessage
from dramatiq.worker import Worker
from dramatiq_inside import Trap
from z4j_core import (
    Capability,
    EngineUnavailable,
    EventKind,
    Indeterminate,
    Job,
    Native,
    Stop,
    TaskNotFound,
    TaskState,
    Unsupported,
)
from z4j_core.engine import capabilities
from z4j_core.model.tasks import ENDS
from z4j_dramatiq import DramatiqEngine, adapt, detect, live
from z4j_dramatiq.gated import Gated
from z4j_dramatiq.message import fields_of
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url
from z4j_testing.signals import WAIT_S, eventually

pytestmark = pytest.mark.filterwarnings("default")


class Stand:
    """A broker with the tasks of the shop, observed, and a worker when it is wanted."""

    def __init__(self, broker, queue, folder):
        self.broker, self.queue, self.folder = broker, queue, folder
        self.actors = dramatiq_shop.declare(broker, queue)
        self.engine, self.emit = DramatiqEngine(broker), Recorder()
        self.engine.attach(self.emit)
        self.worker = None

    def work(self, threads=1):
        self.broker.emit_after("process_boot")
        self.worker = Worker(
            self.broker, queues={self.queue}, worker_threads=threads, worker_timeout=50
        )
        self.worker.start()
        return self

    def rest(self):
        if self.worker is not None:
            self.worker.stop(timeout=5000)
            self.worker = None

    def send(self, task, *args, delay=None, **options):
        message = Message(self.queue, task, args, {}, options)
        return self.broker.enqueue(message, delay=delay).message_id

    def began(self, token):
        file = self.folder / "began.jsonl"
        eventually(lambda: file.exists() and json.dumps(token) in file.read_text(), token)

    def release(self, token):
        (self.folder / f"release-{token}").touch()

    def ends(self, task_id):
        return [kind for kind in self.emit.kinds(task_id) if kind in ENDS]

    def key(self, end=""):
        return f"dramatiq:{self.queue}{end}"


@pytest.fixture
def stands(tmp_path, monkeypatch):
    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    made = []

    def make(broker=None, **options):
        broker = broker or RedisBroker(url=redis_url(9), **options)
        made.append(Stand(broker, f"z4j-only-{time.time_ns()}", tmp_path))
        return made[-1]

    yield make
    for stand in made:
        stand.rest()
        stand.engine.detach()
        if isinstance(stand.broker, RedisBroker):
            client = stand.broker.client
            for key in list(client.scan_iter(f"*{stand.queue}*", 1000)):
                client.delete(key)
            client.close()
        stand.engine.close()
        assert stand.emit.hook_errors == []


@pytest.fixture
def stand(stands):
    return stands()


# Attempts.


def test_a_retry_is_no_new_task_and_says_when_it_is_due(stand):
    task_id = stand.work().send("flaky", 1)

    stand.emit.end(task_id)

    assert stand.emit.kinds(task_id) == [
        EventKind.ENQUEUED, EventKind.STARTED, EventKind.RETRYING, EventKind.STARTED,
        EventKind.SUCCEEDED,
    ]  # fmt: skip
    assert [event.attempt for event in stand.emit.of(task_id)] == [1, 1, 1, 2, 2]
    assert stand.emit.of(task_id)[2].due_at > 0


def test_a_message_that_was_put_off_is_told_again_when_it_is_due(stand):
    task_id = stand.work().send("ok", 1, delay=10)

    stand.emit.end(task_id)

    kinds = stand.emit.kinds(task_id)
    assert kinds[:2] == [EventKind.SCHEDULED, EventKind.ENQUEUED]
    assert {event.queue for event in stand.emit.of(task_id)} == {stand.queue}


def test_a_failure_that_nobody_retries_is_final(stands):
    stand = stands()
    stand.broker.middleware = [m for m in stand.broker.middleware if not isinstance(m, Retries)]
    task_id = stand.work().send("fail", "x")

    assert stand.emit.end(task_id, but=()).kind is EventKind.FAILED


def test_a_retry_that_could_not_be_sent_is_a_failure(stand, monkeypatch):
    stand.work()
    task_id = stand.send("doomed")
    stand.emit.wait(task_id, EventKind.RETRYING, attempt=1)
    stand.emit.wait(task_id, EventKind.STARTED, attempt=2)

    def away(*_args, **_more):
        raise dramatiq.errors.ConnectionClosed("away")

    broken = stand.send("slow", "cut", max_retries=5)
    stand.began("cut")
    monkeypatch.setattr(stand.broker, "enqueue", away)
    stand.actors["slow"].options["max_retries"] = 5
    live.of(broken).interrupt(lambda place, _: stand.emit.interrupt(place, ValueError))

    assert stand.emit.end(broken).kind is EventKind.FAILED


def test_middleware_added_later_on_either_side_changes_no_end(stand):
    class Nosy(Middleware):
        pass

    first = type(stand.broker.middleware[0])
    again = Retries(max_retries=0)
    stand.broker.middleware = [m for m in stand.broker.middleware if not isinstance(m, Retries)]
    stand.broker.add_middleware(again, before=first)
    stand.broker.add_middleware(Nosy(), before=Retries)
    stand.broker.add_middleware(Nosy())
    task_id = stand.work().send("fail", "x")

    assert stand.emit.end(task_id).kind is EventKind.FAILED
    assert stand.ends(task_id) == [EventKind.FAILED]


def test_what_other_middleware_skips_is_told_without_a_start(stand):
    class Picky(Middleware):
        def before_process_message(self, broker, message):
            raise SkipMessage("not today")

    stand.broker.add_middleware(Picky())
    task_id = stand.work().send("ok", 1)

    end = stand.emit.end(task_id)

    assert (end.kind, end.detail) == (EventKind.CANCELLED, "skipped")
    assert EventKind.STARTED not in stand.emit.kinds(task_id)


def test_arguments_an_actor_has_changed_are_sent_again_as_they_came(stand):
    first = stand.work().send("changes", [1, 2])
    end = stand.emit.end(first)

    again = stand.engine.retry(stand.emit.native(first))

    stand.emit.end(again)
    lines = (stand.folder / "changes.jsonl").read_text().splitlines()
    assert [json.loads(line)[0] for line in lines] == [[1, 2], [1, 2]]
    assert end.kind is EventKind.FAILED


def test_the_next_of_a_pipeline_is_the_child_of_the_one_before(stand):
    stand.work()
    first = stand.send("ok", 1, pipe_target=stand.actors["echo"].message().asdict())

    def seconds():
        events = list(stand.emit.events)
        return [e for e in events if e.task == "echo" and e.kind is EventKind.ENQUEUED]

    (second,) = eventually(seconds, "the next of the pipeline")
    assert second.parent_id == first
    assert stand.emit.end(second.task_id).kind is EventKind.SUCCEEDED


def test_an_async_actor_is_observed_and_cancelled(stand):
    try:
        from dramatiq.middleware.asyncio import AsyncIO
    except ImportError:
        pytest.skip("asyncio: version")
    stand.broker.add_middleware(AsyncIO())

    async def waits(token):
        dramatiq_shop.mark("began", token)
        try:
            await asyncio.sleep(WAIT_S)
        finally:
            dramatiq_shop.mark("finally", token)

    dramatiq.actor(broker=stand.broker, queue_name=stand.queue)(waits)
    task_id = stand.work().send("waits", "async")
    stand.began("async")

    assert stand.engine.cancel(task_id) is Stop.ASKED

    assert stand.emit.end(task_id).kind is EventKind.CANCELLED
    assert (stand.folder / "finally.jsonl").exists()
    (found,) = [task for task in stand.engine.discover() if task.name == "waits"]
    assert found.is_async


def test_an_actor_called_by_another_is_part_of_it(stand):
    def outer():
        return stand.actors["ok"](40)

    dramatiq.actor(broker=stand.broker, queue_name=stand.queue)(outer)

    assert stand.work().emit.end(stand.send("outer")).result == {"sum": 42}


# Cancelling.


def test_a_cancelled_message_is_not_retried_and_its_callback_can_be_sent(stand):
    task_id = stand.work().send("stubborn", "never", on_failure="echo")
    stand.began("never")

    stand.engine.cancel(task_id)

    assert stand.emit.end(task_id).kind is EventKind.CANCELLED
    file = stand.folder / "echo.jsonl"
    eventually(file.exists, "the callback")
    (told, why), _ = json.loads(file.read_text())
    assert told["message_id"] == task_id
    assert why["type"] == "Cancelled"
    assert stand.ends(task_id) == [EventKind.CANCELLED]


def test_options_of_a_cancelled_message_come_back_as_they_were(stand):
    task_id = stand.work().send("stubborn", "never")
    stand.began("never")
    stand.engine.cancel(task_id)

    native = stand.emit.native(task_id)

    assert json.loads(native.body)["options"] == {}
    assert native.task == "stubborn"


def test_a_cancel_between_the_start_and_the_code_prevents_the_code(stand):
    message = Message("q", "echo", (), {}, {})
    begun = live.Live(message, 1)

    assert begun.interrupt(lambda *_: pytest.fail("nothing runs yet"))

    with pytest.raises(live.Cancelled):
        begun.perform(lambda: pytest.fail("it ran"))


def test_a_cancel_after_the_code_has_returned_is_too_late():
    begun = live.Live(Message("q", "echo", (), {}, {}), 1)
    begun.perform(lambda: 1)

    assert not begun.interrupt(lambda *_: pytest.fail("it has left"))


def test_hundreds_of_cancels_at_any_moment_kill_no_thread(stand):
    stand.work(threads=2)
    workers = list(stand.worker.workers)
    sent = [stand.send("pause", 0.002) for _ in range(300)]

    for task_id in sent:
        stand.engine.cancel(task_id)

    for task_id in sent:
        stand.emit.end(task_id)
    assert all(each.is_alive() for each in workers)
    last = stand.send("ok", 1)
    assert stand.emit.end(last).result == {"sum": 3}
    assert all(len(stand.ends(task_id)) == 1 for task_id in sent)


def test_a_message_with_another_start_under_its_id_ends_each_on_its_own(stand):
    stand.work(threads=2)
    token = "twice"
    message = Message(stand.queue, "slow", (token,), {}, {})
    for _ in range(2):
        stand.broker.enqueue(message)
    kinds = stand.emit.kinds
    eventually(lambda: kinds(message.message_id).count(EventKind.STARTED) == 2, "both starts")

    stand.release(token)

    eventually(lambda: len(stand.ends(message.message_id)) == 2, "both ends")


# Pausing.


def test_what_was_taken_before_the_pause_is_held_back_and_returned_by_a_worker_that_stops(stand):
    stand.work(threads=1)
    busy = stand.send("slow", "busy")
    stand.began("busy")
    taken = [stand.send("ok", number) for number in range(2)]
    client = stand.broker.client
    eventually(lambda: stand.worker.work_queue.qsize() == 1, "that the worker has the next")

    stand.engine.pause(stand.queue)
    stand.emit.gate(stand.queue).close()
    stand.release("busy")
    stand.emit.end(busy)
    eventually(lambda: stand.worker.work_queue.qsize() == 0, "that it has looked at it")
    stand.rest()

    assert [EventKind.STARTED in stand.emit.kinds(each) for each in taken] == [False, False]
    assert [stand.ends(each) for each in taken] == [[], []]
    assert client.llen(stand.key()) == 2
    assert client.hlen(stand.key(".msgs")) == 2


def test_a_worker_that_starts_leaves_a_paused_queue_alone(stand):
    stand.emit.gate(stand.queue).close()
    task_id = stand.send("ok", 1)
    stand.work()
    assert [queue.paused for queue in stand.engine.queues()] == [True]

    stand.emit.gate(stand.queue).open()

    assert stand.emit.end(task_id).kind is EventKind.SUCCEEDED


def test_what_needs_a_worker_is_offered_by_workers_alone(stand):
    offered = capabilities(stand.engine)

    assert Capability.CANCEL in offered
    assert not {Capability.PAUSE, Capability.RESUME, Capability.RESTART} & set(offered)
    with pytest.raises(Unsupported):
        stand.engine.pause(stand.queue)
    with pytest.raises(Unsupported):
        stand.engine.restart("nobody")
    assert stand.engine.cancel("no-such-id") is Stop.NOT_HERE
    stand.work()
    assert {Capability.PAUSE, Capability.RESUME} <= set(capabilities(stand.engine))


def test_what_is_held_back_is_not_lost_when_its_consumer_is_replaced_meanwhile():
    acknowledged, returned, held = [], [], set()

    class Consumer:
        def __next__(self):
            return None

        def ack(self, message):
            acknowledged.append(message)

        def requeue(self, messages):
            returned.extend(messages)

        def close(self):
            pass

    gate = Recorder().gate("q")
    first, second = (Gated(Consumer(), gate, lambda: gate.closed, held, 0.01) for _ in range(2))
    message = Message("q", "ok", (), {}, {})
    held.add(id(message))
    first.close()

    second.ack(message)

    assert (acknowledged, held) == ([], set())
    gate.close()
    assert next(second) is None
    gate.open()
    assert next(second) is message
    second.ack(message)
    assert acknowledged == [message]
    held.add(id(message))
    second.ack(message)
    second.close()
    assert returned == [message]


# Queues.


def test_depth_tells_what_waits_is_put_off_was_taken_and_is_dead(stand):
    for _ in range(2):
        stand.send("ok", 1)
    stand.send("ok", 1, delay=60_000)

    depth = stand.engine.depth(stand.queue)

    assert (depth.ready, depth.delayed, depth.unacked, depth.dead) == (2, 1, 0, 0)
    assert 0 <= depth.oldest_s < 60
    stand.work()
    stand.emit.end(stand.send("fail", "x"))
    stand.send("slow", "taken")
    stand.began("taken")

    def counted():
        now = stand.engine.depth(stand.queue)
        return (now.ready, now.delayed, now.unacked, now.dead) == (0, 1, 1, 1)

    eventually(counted, "one that was taken and one that is dead")
    stand.release("taken")


def test_purge_spares_what_is_processed_put_off_and_dead(stand):
    stand.work()
    dead = stand.send("fail", "x")
    stand.emit.end(dead)
    busy = stand.send("slow", "spared")
    stand.began("spared")
    late = stand.send("ok", 2, delay=500)
    stand.emit.gate(stand.queue).close()
    eventually(lambda: stand.engine.depth(stand.queue).dead == 1, "the dead letter")
    waiting = [stand.send("ok", 1) for _ in range(3)]

    assert stand.engine.purge(stand.queue) in {2, 3}

    stand.emit.gate(stand.queue).open()
    stand.release("spared")
    assert stand.emit.end(busy).kind is EventKind.SUCCEEDED
    assert stand.emit.end(late).kind is EventKind.SUCCEEDED
    assert [held.task_id for held in stand.engine.dead_letters(stand.queue).items] == [dead]
    assert sum(bool(stand.ends(each)) for each in waiting) <= 1


def test_a_pickled_message_is_shown_and_never_loaded(stand):
    mark = stand.folder / "loaded.jsonl"
    body = PickleEncoder().encode(
        Message(stand.queue, "ok", (Trap(str(mark)),), {}, {}, message_id="hostile").asdict()
    )
    stand.broker.do_enqueue(stand.queue, "key", body)
    stand.broker.client.zadd(stand.key(".XQ"), {"dead": 1})
    stand.broker.client.hset(stand.key(".XQ.msgs"), "dead", body)

    (held,) = stand.engine.peek(stand.queue).items
    assert (held.task_id, held.task) == ("hostile", "ok")
    with pytest.raises(Unsupported):
        stand.engine.requeue(stand.queue, "hostile")

    assert not mark.exists()
    (dead,) = stand.engine.dead_letters(stand.queue).items
    assert (dead.task_id, dead.state) == ("hostile", TaskState.FAILED)


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b'{"a": 1}', b"\x80\x05nothing", b"{" * 9999])
def test_bytes_that_are_no_message_are_opaque(raw):
    assert fields_of(raw).opaque
    assert fields_of(raw).fields == {}


def test_a_dead_letter_is_sent_again_as_if_anew(stand):
    task_id = stand.work().send("flaky_once_ever", "again")
    stand.emit.end(task_id)
    eventually(lambda: stand.engine.dead_letters(stand.queue).items, "the dead letter")

    assert stand.engine.requeue("", task_id) == task_id

    stand.emit.wait(task_id, EventKind.SUCCEEDED, attempt=1)
    assert EventKind.REQUEUED in stand.emit.kinds(task_id)
    assert stand.engine.dead_letters(stand.queue).items == ()
    with pytest.raises(TaskNotFound):
        stand.engine.requeue(stand.queue, task_id)


def test_a_dead_letter_that_could_not_be_sent_is_still_there(stand, monkeypatch):
    task_id = stand.work().send("fail", "x")
    stand.emit.end(task_id)
    eventually(lambda: stand.engine.dead_letters(stand.queue).items, "the dead letter")

    def away(*_args, **_more):
        raise dramatiq.errors.ConnectionClosed("away")

    with monkeypatch.context() as patch:
        patch.setattr(stand.broker, "enqueue", away)
        with pytest.raises(Indeterminate):
            stand.engine.requeue(stand.queue, task_id)

    assert [held.task_id for held in stand.engine.dead_letters(stand.queue).items] == [task_id]


# Sending.


def test_a_deadline_is_an_age_and_one_that_has_passed_expires(stand):
    job = Job("ok", (1,), queue=stand.queue, expires=time.time() - 5)
    sent = stand.engine.enqueue(job)

    stand.work()

    assert stand.emit.end(sent).kind is EventKind.EXPIRED
    assert stand.emit.of(sent)[0].expires_at is not None


def test_a_priority_is_refused_where_messages_have_none(stand):
    with pytest.raises(Unsupported):
        stand.engine.enqueue(Job("ok", (1,), queue=stand.queue, priority=3))

    assert stand.engine.depth(stand.queue).ready == 0


def test_a_broker_that_does_not_answer_was_sent_nothing(stands):
    stand = stands(RedisBroker(host="127.0.0.1", port=1))

    with pytest.raises(EngineUnavailable):
        stand.engine.enqueue(Job("ok", (1,)))
    with pytest.raises(EngineUnavailable):
        stand.engine.depth("default")
    stand.broker = StubBroker()


def test_what_was_not_packed_here_is_refused(stand):
    with pytest.raises(Unsupported):
        stand.engine.retry(Native("ok", b"\x00\x00"))


def test_a_retry_is_packed_with_the_encoder_of_the_app(stands):
    before = dramatiq.get_encoder()
    dramatiq.set_encoder(PickleEncoder())
    try:
        stand = stands(StubBroker())
        first = stand.work().send("changes", {1, 2})
        stand.emit.end(first)

        again = stand.engine.retry(stand.emit.native(first))

        assert stand.emit.wait(again, EventKind.STARTED).task == "changes"
        stand.rest()
    finally:
        dramatiq.set_encoder(before)


# Brokers.


def test_a_broker_in_memory_is_observed_and_cannot_be_looked_into(stands):
    stand = stands(StubBroker())
    task_id = stand.work().send("ok", 1)

    assert stand.emit.end(task_id).result == {"sum": 3}
    assert stand.engine.unavailable[Capability.DEPTH] == "broker"
    for look in (stand.engine.depth, stand.engine.purge, stand.engine.peek):
        with pytest.raises(Unsupported):
            look(stand.queue)
    with pytest.raises(TaskNotFound):
        stand.engine.enqueue(Job("ok", (1,), queue="nowhere"))
    assert stand.engine.replay_store() is None


def test_a_namespace_is_a_broker_of_its_own():
    url = redis_url(9)
    one, same, other, elsewhere = (
        DramatiqEngine(RedisBroker(url=url)),
        DramatiqEngine(RedisBroker(url=url.replace("127.0.0.1", "localhost"))),
        DramatiqEngine(RedisBroker(url=url, namespace="shop")),
        DramatiqEngine(RedisBroker(url=redis_url(10))),
    )

    assert one.app == same.app
    assert len({one.app, other.app, elsewhere.app}) == 3
    for engine in (one, same, other, elsewhere):
        engine.close()


def test_virtual_hosts_of_rabbitmq_are_brokers_of_their_own():
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    one, same, other = (
        DramatiqEngine(RabbitmqBroker(url="amqp://me:secret@127.0.0.1:5672/%2F")),
        DramatiqEngine(RabbitmqBroker(host="localhost")),
        DramatiqEngine(RabbitmqBroker(url=["amqp://localhost/shop", "amqp://other/shop"])),
    )

    assert one.app == same.app != other.app
    assert one.unavailable[Capability.PEEK] == "broker"
    with pytest.raises(Unsupported) as refused:
        one.enqueue(Job("ok", priority=1))
    assert refused.value.reason == "config"


def test_a_broker_made_later_is_reported_once_it_is_complete():
    found = []
    detect(None, lambda engine: found.append((engine.broker, engine.app)))
    before = len(found)

    class Mine(StubBroker):
        def __init__(self):
            super().__init__()
            self.is_complete = True

    broker = Mine()

    assert [each for each, _ in found[before:]] == [broker]
    assert broker.is_complete
    assert adapt(broker).broker is broker


def test_who_else_wraps_a_broker_takes_nothing_from_us():
    found = []
    detect(None, found.append)

    class Wrapped(StubBroker):
        def __init__(self):
            super().__init__()

    ours = Wrapped.__init__

    def theirs(self):
        ours(self)

    theirs.__wrapped__ = ours
    Wrapped.__init__ = theirs
    broker = Wrapped()

    assert [engine.broker for engine in found if engine.broker is broker] == [broker]


def test_the_last_engine_leaves_the_class_of_actors_as_it_was():
    before = dramatiq.Actor.__call__
    one, two = DramatiqEngine(StubBroker()), DramatiqEngine(StubBroker())

    one.attach(Recorder())
    two.attach(Recorder())
    one.detach()
    assert hasattr(dramatiq.Actor.__call__, "__wrapped__")
    two.detach()

    assert dramatiq.Actor.__call__ is before


def test_a_task_has_the_limits_its_actor_leaves_to_middleware():
    broker = StubBroker()

    class Model(dramatiq.GenericActor):
        class Meta:
            broker = None
            queue_name = "models"
            abstract = True

        def perform(self, number, *, times=1):
            """Work on it."""

    own = type("Own", (Model,), {"Meta": type("Meta", (), {"broker": broker, "max_retries": 2})})
    dramatiq.actor(broker=broker, priority=5)(dramatiq_shop.ok)

    found = {task.name: task for task in DramatiqEngine(broker).discover()}

    assert (found["ok"].max_retries, found["ok"].timeout_s, found["ok"].priority) == (20, 600, 5)
    assert found["Own"].max_retries == 2
    assert [each.name for each in found["Own"].params] == ["number", "times"]
    assert own.__name__ == "Own"


def test_a_worker_describes_itself(stand):
    stand.work(threads=3)
    stand.send("slow", "shown")
    stand.began("shown")

    (worker,) = stand.engine.workers()

    stand.release("shown")
    assert (worker.slots, worker.busy, worker.pool) == (3, 1, "threads")
    assert worker.queues == (stand.queue,)
    assert threading.active_count() > 3
