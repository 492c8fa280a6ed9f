"""What Huey is sent, and sent again."""

import time
from datetime import UTC, datetime

import pytest
from huey import MemoryHuey, api
from huey.registry import Message
from huey_bench import Bench, E, S, X, isolates, storage
from z4j_core import (
    EventKind,
    Job,
    Native,
    Unsupported,
)
from z4j_huey.facts import call_of
from z4j_huey.message import read

pytestmark = pytest.mark.filterwarnings("default")


def test_each_task_of_a_group_is_told(bench):
    if not hasattr(api, "group"):
        pytest.skip("group: version")
    ok = bench.tasks["ok"]
    grouped = [ok.s(number) for number in range(3)]

    bench.huey.enqueue(api.group(grouped))
    bench.work()

    assert [bench.emit.kinds(task.id) for task in grouped] == [[E, S, X]] * 3


def test_a_chord_ends_with_its_callback(bench):
    if not isolates():
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
    if not isolates():
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
