"""What a crowd at the door is told."""

from __future__ import annotations

import pytest
from z4j_brain.gateway.limits import BEHIND_S, MAX_PENDING_OF_ADDRESS, Pending, TooMany


def enter(pending, address, now):
    """Whether one more handshake may begin; it ends at once."""
    try:
        with pending.handshake(address, now):
            return True
    except TooMany:
        return False


def test_while_the_database_keeps_one_waiting_too_long_no_other_is_begun():
    pending = Pending()

    with pending.work(10.0):
        assert enter(pending, "a", 10.0 + BEHIND_S)
        assert not enter(pending, "a", 10.1 + BEHIND_S)

    assert enter(pending, "a", 10.1 + BEHIND_S)


def test_the_one_that_waits_longest_counts():
    pending = Pending()

    with pending.work(10.0):
        for now in (11.0, 12.0):
            with pending.work(now):
                pass
        assert not enter(pending, "a", 12.1)


def test_strangers_who_say_nothing_keep_nobody_out_but_their_own_address():
    pending = Pending()
    held = [pending.handshake("a", 0.0) for _ in range(MAX_PENDING_OF_ADDRESS)]
    for one in held:
        one.__enter__()

    assert not enter(pending, "a", 60.0)
    assert enter(pending, "b", 60.0)
    for one in held:
        one.__exit__(None, None, None)
    assert enter(pending, "a", 60.0)


@pytest.mark.parametrize("error", [ValueError, TooMany])
def test_work_that_fails_is_over_too(error):
    pending = Pending()

    with pytest.raises(error), pending.work(0.0):
        raise error

    assert enter(pending, "a", 60.0)
