"""What stands in the queues of Dramatiq."""

import dramatiq
import pytest
from dramatiq.encoder import PickleEncoder
from dramatiq.message import Message
from dramatiq_inside import Trap
from z4j_core import (
    EventKind,
    Indeterminate,
    TaskNotFound,
    TaskState,
    Unsupported,
)
from z4j_dramatiq.message import fields_of
from z4j_testing.signals import eventually

pytestmark = pytest.mark.filterwarnings("default")


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
