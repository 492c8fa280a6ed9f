"""What stands in the storages of Huey."""

import contextlib
import time
from datetime import UTC, datetime

import pytest
from huey import MemoryHuey
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import SignedSerializer
from huey_bench import Bench, E, S, X, storage
from huey_inside import Trap
from z4j_core import (
    EventKind,
    Job,
    Native,
    TaskState,
)

pytestmark = pytest.mark.filterwarnings("default")
STORAGES = ("memory", "redis", "priority", "sqlite", "file")


@pytest.fixture(params=STORAGES)
def stored(request, tmp_path, monkeypatch):
    monkeypatch.setenv("RIG_MARKS", str(tmp_path))
    made = Bench(storage(request.param, tmp_path))
    yield made
    made.engine.detach()
    made.huey.flush()
    made.huey.storage.close()
    if request.param in ("redis", "priority"):
        made.huey.storage.conn.close()
    assert made.emit.hook_errors == []


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
