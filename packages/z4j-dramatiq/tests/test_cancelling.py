"""Messages of Dramatiq that are cancelled before, while and after they run."""

import json

import pytest
from dramatiq.message import Message
from dramatiq.middleware import Middleware
from z4j_core import (
    EventKind,
)
from z4j_dramatiq import live
from z4j_testing.signals import eventually

pytestmark = pytest.mark.filterwarnings("default")


class Nacked(Middleware):
    """Keeps the options of messages that were put away."""

    def __init__(self):
        self.options = []

    def after_nack(self, _broker, message):
        self.options.append(dict(message.options))


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
    nacked = Nacked()
    stand.broker.add_middleware(nacked)
    task_id = stand.work().send("stubborn", "never")
    stand.began("never")

    stand.engine.cancel(task_id)

    native = stand.emit.native(task_id)
    eventually(lambda: nacked.options, "that it is put away")
    assert "throws" not in nacked.options[0]
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
