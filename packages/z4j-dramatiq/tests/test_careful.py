"""A thread has one attempt at a time, and knows it by the message object alone."""

import pytest
from dramatiq.message import Message
from z4j_dramatiq import live

pytestmark = pytest.mark.filterwarnings("default")


def test_another_copy_of_a_message_does_not_end_the_attempt_of_this_one():
    mine = Message("mail", "ok", (1,), {}, {}, "same")
    copy = Message("mail", "ok", (1,), {}, {}, "same")
    running = live.begin(mine, 1)

    assert live.leave(copy) is None

    assert live.here() is running
    assert live.leave(mine) is running
