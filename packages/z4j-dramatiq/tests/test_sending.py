"""What Dramatiq is sent."""

import time

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.encoder import PickleEncoder
from z4j_core import (
    EngineUnavailable,
    EventKind,
    Job,
    Native,
    Unsupported,
)

pytestmark = pytest.mark.filterwarnings("default")


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
