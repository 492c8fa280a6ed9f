"""What only Huey does: its signals, its storages, its ways to end."""

import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta
from pickle import PicklingError

import huey_shop
import pytest
from huey import CancelExecution, Huey, MemoryHuey, PriorityRedisHuey, RedisHuey, api, crontab
from huey.exceptions import HueyException, RetryTask
from huey.registry import Message
from huey.serializer import SignedSerializer
from huey_inside import Trap, instance
from redis.exceptions import ConnectionError as RedisGone
from z4j_core import (
    Capability,
    EngineUnavailable,
    EventKind,
    Job,
    Native,
    Stop,
    TaskNotFound,
    TaskState,
    Unsupported,
    capabilities,
)
from z4j_huey.facts import call_of
from z4j_huey.live import Cancelled, Interrupted, Live
from z4j_huey.message import read
from z4j_huey.places import adapt, place_of
from z4j_testing.recorder import Recorder
from z4j_testing.services import free_port, redis_url
from z4j_testing.signals import WAIT_S, eventually

pytestmark = pytest.mark.filterwarnings("default")
E, S, X = EventKind.ENQUEUED, EventKind.STARTED, EventKind.SUCCEEDED
STORAGES = ("memory", "redis", "priority", "sqlite", "file")


class Bench:
    """An instance, its engine and what it told; `work` is a worker of it."""

    def __init__(self, huey):
        self.huey, self.emit, self.engine = huey, Recorder(), adapt(huey)
        self.engine.attach(self.emit)
        self.tasks = huey_shop.made(huey)

    def task(self, function, **options):
        return self.huey.task(**options)(function)

    def work(self):
        with contextlib.suppress(KeyboardInterrupt):
            while (task := self.huey.dequeue()) is not None:
                self.huey.execute(task)

    def due(self):
        """What the scheduler does, an hour from now."""
        later = self.huey._get_timestamp() + timedelta(hours=1)
        for task in self.huey.read_schedule(later):
            task.eta = None
            self.huey.enqueue(task)

    def run(self, task):
        """Send a task and let a worker run whatever is there; the kinds of its facts."""
        self.huey.enqueue(task)
        self.work()
        return self.emit.kinds(task.id)

    def end(self, task):
        return self.emit.end(task.id)


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    made = Bench(MemoryHuey(f"quirks{time.time_ns()}"))
    yield made
    made.engine.detach()
    assert made.emit.hook_errors == []


def storage(kind, tmp_path, **more):
    name = f"quirks{time.time_ns()}"
    if kind == "memory":
        return MemoryHuey(name, **more)
    if kind == "priority":
        return PriorityRedisHuey(name, url=redis_url(9), blocking=False, **more)
    where = redis_url(9) if kind == "redis" else tmp_path
    return instance(kind, name, where, **({"blocking": False} if kind == "redis" else {}), **more)


@pytest.fixture(params=STORAGES)
def stored(request, tmp_path, monkeypatch):
    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    made = Bench(storage(request.param, tmp_path))
    yield made
    made.engine.detach()
    made.huey.flush()
    made.huey.storage.close()
    if hasattr(made.huey.storage, "conn") and request.param in ("redis", "priority"):
        made.huey.storage.conn.close()
    assert made.emit.hook_errors == []


# What an attempt ends with.


def test_a_retry_is_told_between_two_starts_and_not_as_a_new_task(bench):
    task = bench.tasks["flaky"].s(1)

    assert bench.run(task) == [E, S, EventKind.RETRYING, S, X]
    assert [event.tries_left for event in bench.emit.of(task.id)] == [9, 9, 9, 8, 8]


def test_a_task_that_asks_for_a_retry_says_with_what(bench):
    task = bench.tasks["again"].s()

    assert bench.run(task) == [E, S, EventKind.RETRYING, S, X]
    retried = bench.emit.wait(task.id, EventKind.RETRYING)
    assert isinstance(retried.error, RetryTask)


def test_a_delayed_retry_says_when(bench):
    task = bench.task(huey_shop.doomed, name="late", retries=1, retry_delay=60).s()

    kinds = bench.run(task)

    assert kinds == [E, S, EventKind.RETRYING]
    due_at = bench.emit.wait(task.id, EventKind.RETRYING).due_at
    assert due_at == pytest.approx(datetime.now(UTC).timestamp() + 60, abs=20)
    bench.due()
    bench.work()
    assert bench.emit.kinds(task.id) == [*kinds, E, S, EventKind.FAILED]


def test_a_cancelled_execution_is_skipped_and_can_be_run_again(bench):
    task = bench.tasks["skipped"].s()

    assert bench.run(task) == [E, S, EventKind.CANCELLED]
    assert bench.end(task).detail == "skipped"
    assert bench.emit.native(task.id).task == "huey_shop.skipped"


def test_a_cancelled_execution_with_retries_is_retried(bench):
    task = bench.tasks["skipped"].s(retries=1)

    assert bench.run(task) == [E, S, EventKind.RETRYING, S, EventKind.CANCELLED]


def test_a_task_stopped_by_a_hook_before_it_runs_is_skipped(bench):
    @bench.huey.pre_execute("mine")
    def stop(task):
        raise CancelExecution

    task = bench.tasks["ok"].s(1)

    assert bench.run(task) == [E, S, EventKind.CANCELLED]
    assert bench.end(task).detail == "skipped"


def test_a_locked_task_fails_as_locked(bench):
    task = bench.task(bench.huey.lock_task("mine")(huey_shop.ok), name="locked").s(1)

    with bench.huey.lock_task("mine"):
        assert bench.run(task) == [E, S, EventKind.FAILED]

    assert bench.end(task).detail == "locked"
    assert type(bench.end(task).error).__name__ == "TaskLockedException"


def test_a_rate_limited_task_is_retried_when_its_window_opens(bench):
    if not hasattr(bench.huey, "rate_limit"):
        pytest.skip("rate limit: version")
    limited = bench.huey.rate_limit("mine", 1, 60)
    function = bench.task(limited(huey_shop.ok), name="limited")
    assert bench.run(function.s(1)) == [E, S, X]
    task = function.s(2)

    assert bench.run(task) == [E, S, EventKind.RETRYING]
    assert bench.emit.of(task.id)[-1].due_at is not None
    limited = bench.huey.rate_limit("mine", 1, 60, retry=False)
    last = bench.task(limited(huey_shop.ok), name="last").s(3)
    assert bench.run(last) == [E, S, EventKind.FAILED]
    assert bench.end(last).detail == "rate_limited"


def test_what_the_app_revokes_is_cancelled_without_a_start(bench):
    result = bench.tasks["ok"](1)
    result.revoke()

    bench.work()

    assert bench.emit.kinds(result.id) == [E, EventKind.CANCELLED]
    assert bench.emit.end(result.id).detail == "revoked"


def test_what_an_operator_cancels_leaves_no_key_behind(bench):
    result = bench.tasks["ok"](1)

    assert bench.engine.cancel(result.id) is Stop.ASKED

    bench.work()
    assert bench.emit.end(result.id).detail == "operator"
    assert bench.huey.result_count() == 0


def test_a_task_put_off_is_scheduled_and_then_due(bench):
    task = bench.tasks["ok"].s(1, delay=60)

    bench.run(task)
    bench.due()
    bench.work()

    scheduled = EventKind.SCHEDULED
    assert bench.emit.kinds(task.id) == [scheduled, scheduled, E, S, X]


def test_a_periodic_task_is_told_like_any_other(bench):
    made = bench.huey.periodic_task(crontab(), name="tick")(lambda: 7)

    task = made.task_class()

    assert bench.run(task) == [E, S, X]
    (found,) = [each for each in bench.engine.discover() if each.name.endswith(".tick")]
    assert found.options["periodic"] is True


def test_a_result_that_cannot_be_stored_fails_with_why(bench):
    task = bench.tasks["unstorable"].s()
    bench.huey.enqueue(task)

    with pytest.raises((AttributeError, PicklingError)):
        bench.work()

    assert bench.emit.kinds(task.id) == [E, S, EventKind.FAILED]
    assert bench.end(task).error is not None


def test_a_retry_that_cannot_be_sent_is_a_failure(bench, monkeypatch):
    task = bench.tasks["doomed"].s()
    bench.huey.enqueue(task)

    def enqueue(*_):
        raise ConnectionError("gone")

    monkeypatch.setattr(bench.huey.storage, "enqueue", enqueue)
    with pytest.raises(ConnectionError):
        bench.work()

    assert bench.emit.kinds(task.id) == [E, S, EventKind.FAILED]
    assert isinstance(bench.end(task).error, ConnectionError)


def test_a_task_in_flight_when_the_consumer_stops_is_interrupted_once(bench):
    task, told = None, []

    def long():
        bench.huey.notify_interrupted_tasks()  # as the main thread does
        told.extend(bench.emit.kinds(task.id))
        return 1

    task = bench.task(long).s()
    bench.run(task)

    assert told == bench.emit.kinds(task.id) == [E, S, EventKind.CANCELLED]
    assert bench.end(task).detail == "interrupted"


def test_the_result_is_still_there_for_the_app(bench):
    result = bench.tasks["ok"](40)

    bench.work()

    assert result.get() == {"sum": 42}


# What is sent.


def test_each_task_of_a_group_is_told(bench):
    if not hasattr(api, "group"):
        pytest.skip("group: version")
    ok = bench.tasks["ok"]
    grouped = [ok.s(number) for number in range(3)]

    bench.huey.enqueue(api.group(grouped))
    bench.work()

    assert [bench.emit.kinds(task.id) for task in grouped] == [[E, S, X]] * 3


def test_a_chord_ends_with_its_callback(bench):
    if not _isolates():
        pytest.skip("chord: version")
    ok, total = bench.tasks["ok"], bench.task(len, name="total").s()

    bench.huey.enqueue(api.chord([ok.s(1), ok.s(2)], total))
    bench.work()

    assert bench.emit.kinds(total.id) == [E, S, X]
    assert bench.end(total).result == 2


def test_a_pipeline_goes_on_as_a_child_of_what_was_before(bench):
    first = bench.tasks["ok"].s(1)
    second = bench.tasks["echo"].s()
    first.then(second)

    bench.run(first)

    assert bench.emit.wait(second.id, E).parent_id == first.id


def test_what_another_tool_puts_beside_the_arguments_is_left_out_and_kept(bench):
    headers = {"sentry_headers": {"baggage": "x"}}
    bench.huey.enqueue(bench.tasks["ok"].task_class((1,), {"b": 3, **headers}))
    (data,) = bench.huey.storage.enqueued_items()

    (sent,) = bench.emit.events

    assert dict(sent.kwargs) == {"b": 3}
    assert read(data).kwargs == {"b": 3, **headers}


def test_a_task_in_context_is_no_argument(bench):
    task = bench.tasks["flaky"].s(0)

    bench.run(task)

    assert {tuple(event.kwargs) for event in bench.emit.of(task.id)} == {()}


def test_a_task_of_django_is_called_by_its_own_name(bench):
    run = bench.task(lambda *_: None, name="djtasks.run")

    call = call_of(bench.huey, run.s("shop.tasks.pay", [1], {"b": 2}))

    assert call == ("shop.tasks.pay", [1], {"b": 2})


def test_what_the_storage_refuses_was_not_sent(tmp_path):
    made = Bench(storage("redis", tmp_path))

    with pytest.raises(NotImplementedError):
        made.huey.enqueue(made.tasks["ok"].s(1, priority=3))

    assert made.emit.events == []
    with pytest.raises(Unsupported):
        made.engine.enqueue(Job("huey_shop.ok", (1,), priority=3))
    made.engine.detach()


def test_a_priority_is_honoured_where_the_storage_has_them(tmp_path):
    made = Bench(storage("priority", tmp_path))
    ids = [made.engine.enqueue(Job("huey_shop.ok", (1,), priority=each)) for each in (1, 9, 5)]

    page = made.engine.peek(made.huey.name)

    assert [held.task_id for held in page.items] == [ids[1], ids[2], ids[0]]
    assert [event.priority for event in made.emit.events] == [1, 9, 5]
    made.engine.detach()
    made.huey.flush()


def test_another_queue_is_refused(bench):
    with pytest.raises(Unsupported):
        bench.engine.enqueue(Job("huey_shop.ok", (1,), queue="elsewhere"))
    for verb in (bench.engine.depth, bench.engine.purge, bench.engine.peek, bench.engine.pause):
        with pytest.raises(Unsupported):
            verb("elsewhere")


def test_a_task_of_another_part_of_the_app_is_sent_by_name(bench):
    due = datetime.now(UTC).timestamp() + 60

    sent = bench.engine.enqueue(Job("elsewhere.task", (1,), {"b": 2}, id="mine", eta=due))

    assert sent == "mine"
    (told,) = bench.emit.events
    assert (told.kind, told.task, told.due_at) == (EventKind.SCHEDULED, "elsewhere.task", due)
    (data,) = bench.huey.storage.enqueued_items()
    assert read(data) == ("mine", "elsewhere.task", (1,), {"b": 2}, True, None)


def test_a_deadline_is_a_moment(bench):
    now = datetime.now(UTC).timestamp()
    late = bench.engine.enqueue(Job("huey_shop.ok", (1,), expires=now - 60))
    early = bench.engine.enqueue(Job("huey_shop.ok", (1,), expires=now + 60))

    bench.work()

    assert bench.emit.kinds(late) == [E, EventKind.EXPIRED]
    assert bench.emit.kinds(early) == [E, S, X]
    assert bench.emit.of(early)[0].expires_at == pytest.approx(now + 60, abs=0.01)


@pytest.mark.parametrize("utc", [True, False])
def test_a_due_time_is_the_same_in_utc_and_in_local_time(utc):
    made = Bench(MemoryHuey(f"quirks{time.time_ns()}", utc=utc))
    due = datetime.now(UTC).timestamp() + 3600

    sent = made.engine.enqueue(Job("huey_shop.ok", (1,), eta=due))

    assert made.emit.of(sent)[0].due_at == pytest.approx(due, abs=1)
    made.engine.detach()


# Sent again.


def test_a_retry_has_the_arguments_the_task_began_with(bench):
    seen = []

    def greedy(items):
        seen.append(list(items))
        items.clear()
        raise ValueError

    task = bench.task(greedy).s([1, 2])
    bench.run(task)

    bench.engine.retry(bench.emit.native(task.id))

    bench.work()
    assert seen == [[1, 2], [1, 2]]


def test_a_retried_member_of_a_chord_is_counted_once(bench):
    if not _isolates():
        pytest.skip("chord: version")
    ended = []
    bad, good, never = bench.tasks["fail"].s("x"), bench.tasks["ok"].s(1), bench.tasks["ok"].s(2)
    total = bench.task(ended.append, name="total").s()
    bench.huey.enqueue(api.chord([bad, good, never], total))
    for _ in range(2):
        bench.huey.execute(bench.huey.dequeue())

    again = bench.engine.retry(bench.emit.native(bad.id))
    last = bench.huey.dequeue()
    bench.work()
    assert ended == []

    bench.huey.execute(last)
    bench.work()
    assert len(ended) == 1
    assert bench.emit.kinds(again) == [E, S, EventKind.FAILED]


def test_a_retry_of_a_task_that_is_not_registered_here_is_sent(bench):
    message = Message("old", "elsewhere.task", None, 0, 0, None, (1,), {})
    native = Native("elsewhere.task", bench.huey.serializer.serialize(message))

    again = bench.engine.retry(native)

    (data,) = bench.huey.storage.enqueued_items()
    assert (read(data).id, read(data).task) == (again, "elsewhere.task")
    assert bench.emit.of(again)[0].retry_of == "old"


@pytest.mark.parametrize("body", [b"", b"no pickle", b"\x80\x05K\x01.", b"\x80\x05cnowhere\nx\n."])
def test_what_is_no_message_of_this_app_is_refused(bench, body):
    with pytest.raises(Unsupported):
        bench.engine.retry(Native("huey_shop.ok", body))


# What is read.


def test_an_undecodable_message_fails_with_what_can_be_read(bench):
    message = Message("odd", "huey_shop.ok", None, 0, 0, None, (Trap("/nowhere"),), {})
    data = bench.huey.serializer.serialize(message).replace(b"exec", b"exeq")
    bench.huey.storage.enqueue(data)

    with pytest.raises(AttributeError):
        bench.huey.dequeue()

    (told,) = bench.emit.events
    assert (told.kind, told.task_id, told.detail) == (EventKind.FAILED, "odd", "undecodable")
    assert told.native() == Native("huey_shop.ok", data)


def test_a_scheduled_task_that_nobody_knows_fails_as_unregistered(bench):
    bench.engine.enqueue(Job("elsewhere.task", id="gone"))
    data = bench.huey.storage.dequeue()
    bench.huey.storage.add_to_schedule(data, datetime.now(UTC).replace(tzinfo=None))

    assert bench.huey.read_schedule() == []

    assert bench.emit.kinds("gone") == [E, EventKind.FAILED]
    assert bench.emit.end("gone").detail == "unregistered"


def test_looking_at_what_cannot_be_read_is_no_end(bench):
    bench.engine.enqueue(Job("elsewhere.task", id="here"))

    with contextlib.suppress(HueyException):  # 2.x raises
        bench.huey.pending()

    assert bench.emit.kinds("here") == [E]


@pytest.mark.parametrize(
    "options", [{"compression": True}, {"compression": True, "use_zlib": True},
                {"serializer": SignedSerializer("secret")}],
)  # fmt: skip
def test_a_wrapped_message_is_shown(options):
    made = Bench(MemoryHuey(f"quirks{time.time_ns()}", **options))
    made.tasks["ok"](1, b=5)

    (held,) = made.engine.peek(made.huey.name).items

    assert (held.task, list(held.args), held.kwargs) == ("huey_shop.ok", [1], {"b": 5})
    made.engine.detach()


def test_a_message_of_another_serializer_is_shown_as_opaque(bench):
    bench.huey.storage.enqueue(b'{"id": "x"}')

    (held,) = bench.engine.peek(bench.huey.name).items

    assert held.opaque.startswith("opaque")
    assert held.task is None


def test_nothing_hostile_is_loaded_by_looking(stored, tmp_path):
    mark = tmp_path / "loaded"
    stored.huey.enqueue(stored.tasks["ok"].s(Trap(str(mark))))

    page = stored.engine.peek(stored.huey.name)
    stored.engine.depth(stored.huey.name)
    list(stored.engine.discover())
    stored.engine.cancel(page.items[0].task_id)
    stored.engine.purge(stored.huey.name)

    assert page.items[0].task == "huey_shop.ok"
    assert not mark.exists()


def test_each_storage_counts_shows_and_drops(stored):
    ids = [stored.tasks["ok"](number).id for number in range(3)]
    stored.huey.add_schedule(stored.tasks["ok"].s(1, delay=60))

    depth = stored.engine.depth(stored.huey.name)
    first = stored.engine.peek(stored.huey.name, limit=2)
    second = stored.engine.peek(stored.huey.name, limit=2, cursor=first.cursor)

    assert (depth.ready, depth.delayed) == (3, 1)
    assert [held.task_id for held in (*first.items, *second.items)] == ids
    assert {held.state for held in first.items} == {TaskState.QUEUED}
    assert second.cursor is None
    assert stored.engine.purge(stored.huey.name) == 3
    assert stored.engine.purge(stored.huey.name) == 0
    assert stored.engine.depth(stored.huey.name).delayed == 1


def test_each_storage_runs_retries_and_cancels(stored):
    failed, revoked = stored.tasks["fail"]("x"), stored.tasks["ok"](1)
    stored.engine.cancel(revoked.id)
    stored.work()

    again = stored.engine.retry(stored.emit.native(failed.id))

    stored.work()
    assert stored.emit.kinds(revoked.id) == [E, EventKind.CANCELLED]
    assert stored.emit.kinds(again) == [E, S, EventKind.FAILED]


def test_a_paused_instance_takes_nothing_and_puts_back_what_it_had(stored):
    gate = stored.emit.gate(stored.huey.name)
    read_storage = stored.huey.storage.dequeue
    first, second = stored.tasks["ok"](1), stored.tasks["ok"](2)
    gate.wait = lambda timeout_s: False

    def overtaken():
        gate.close()
        return read_storage()

    stored.huey.storage.dequeue = overtaken
    assert stored.huey.dequeue() is None  # taken by a read that the pause overtook
    assert stored.huey.dequeue() is None
    del stored.huey.storage.dequeue

    assert stored.engine.depth(stored.huey.name).ready == 2
    gate.open()
    stored.work()
    assert [stored.emit.end(each.id).kind for each in (first, second)] == [X, X]


# Stopping what runs.


def test_a_task_that_catches_exceptions_is_cancelled_all_the_same(bench):
    task = bench.tasks["swallows"].s("never")
    bench.huey.enqueue(task)
    worker = threading.Thread(target=bench.work)
    worker.start()
    eventually((huey_shop.folder() / "began.jsonl").exists, "the task")

    assert bench.engine.cancel(task.id) is Stop.ASKED

    worker.join(WAIT_S)
    assert (bench.end(task).kind, bench.end(task).detail) == (EventKind.CANCELLED, "operator")
    assert bench.engine.cancel(task.id) is Stop.ALREADY


def test_a_task_that_is_cancelled_before_its_code_begins_never_does(bench):
    ran = []
    task = bench.task(lambda: ran.append(1), name="late").s()

    @bench.huey.pre_execute("mine")
    def stop(_):
        bench.engine.cancel(task.id)

    assert bench.run(task) == [E, S, EventKind.CANCELLED]
    assert ran == []


def test_a_task_cancelled_after_huey_looked_does_not_begin(bench):
    ran = []
    task = bench.task(lambda: ran.append(1), name="overtaken").s()
    bench.emit.tombstones().add(task.id)

    assert bench.run(task) == [E, S, EventKind.CANCELLED]
    assert (ran, bench.end(task).detail) == ([], "operator")


def test_an_interrupt_of_a_task_that_has_left_says_so(bench):
    live = Live(bench.tasks["ok"].s(1))
    live.run()

    assert not live.interrupt(bench.emit.interrupt, Interrupted, None)


def test_a_cancelled_task_is_not_retried_in_any_version():
    error = Cancelled()

    assert isinstance(error, CancelExecution)
    assert (error.retry, str(error)) == (False, "cancelled by an operator")


def test_what_takes_a_worker_is_offered_by_workers_alone(bench):
    offered = set(capabilities(bench.engine))

    assert {Capability.CANCEL, Capability.ENQUEUE, Capability.RETRY} <= offered
    assert not {Capability.PAUSE, Capability.TERMINATE, Capability.POOL} & offered
    assert bench.engine.terminate("none") is Stop.NOT_HERE
    with pytest.raises(TaskNotFound):
        bench.engine.restart("nobody")


# Where it is.


def test_an_instance_that_runs_at_once_tells_nothing(bench):
    bench.huey.immediate = True

    result = bench.tasks["ok"](1)

    assert bench.emit.events == []
    assert result.get() == {"sum": 3}
    assert bench.engine.unavailable[Capability.ENQUEUE] == "eager"
    with pytest.raises(Unsupported):
        bench.engine.enqueue(Job("huey_shop.ok", (1,)))
    bench.huey.immediate = False


def test_a_receiver_of_the_app_that_raises_hides_nothing(bench):
    def raises(*_):
        raise RuntimeError

    bench.huey.signal()(raises)
    bench.huey.signal("executing")(raises)
    task = bench.tasks["ok"].s(1)
    bench.huey.storage.enqueue(bench.huey.serialize_task(task))

    with contextlib.suppress(RuntimeError):
        bench.work()

    assert S in bench.emit.kinds(task.id)


def _isolates():
    """Whether this is Huey 3: receivers do not hide each other, and chords are there."""
    return "chord_config" in Message._fields


def test_who_patches_the_class_later_is_called(bench, monkeypatch):
    called, original = [], Huey.enqueue

    def enqueue(self, task):
        called.append(task.id)
        return original(self, task)

    monkeypatch.setattr(Huey, "enqueue", enqueue)

    assert called == [] == bench.emit.events
    result = bench.tasks["ok"](1)
    assert called == [result.id]
    assert bench.emit.kinds(result.id) == [E]


def test_a_task_in_flight_goes_on_unobserved_when_z4j_leaves(bench):
    task = bench.task(lambda: bench.engine.detach() or 5, name="leaves").s()

    worker = threading.Thread(target=bench.run, args=(task,))
    worker.start()
    worker.join(WAIT_S)

    assert bench.emit.kinds(task.id) == [E, S]
    assert bench.huey.result(task.id) == 5


def test_a_storage_that_is_away_is_said_to_be():
    made = Bench(RedisHuey("away", port=free_port(), host="127.0.0.1"))

    for call in (
        lambda: made.engine.depth("away"), lambda: made.engine.cancel("x"),
        lambda: made.engine.enqueue(Job("huey_shop.ok", (1,))),
    ):  # fmt: skip
        with pytest.raises(EngineUnavailable):
            call()
    with pytest.raises(RedisGone):
        made.tasks["ok"](1)
    assert made.emit.events == []
    made.engine.detach()


def test_one_place_has_one_name(tmp_path):
    one = RedisHuey("mine", url="redis://localhost:6379/3")
    same = RedisHuey("mi-ne", host="127.0.0.1", port=6379, db=3)
    other = RedisHuey("other", url="redis://localhost:6379/3")
    lite = [instance("sqlite", name, tmp_path) for name in ("a", "b")]
    files = [instance("file", name, tmp_path) for name in ("a", "b")]

    assert place_of(one) == place_of(same)
    assert len({place_of(each) for each in (one, other, *lite, *files)}) == 6


def test_a_task_leads_to_its_engine(bench):
    assert adapt(bench.tasks["ok"]) is bench.engine
