"""When the agent dials again, and how loudly it says why it has to."""

from __future__ import annotations

import pytest
from z4j_core.agent.reconnect import CAUSES, FLOOR_S, Backoff, Complaints

MOST, LEAST = (lambda n: b"\xff" * n), bytes


def delays(cause, tries, since=1e6, entropy=MOST):
    backoff = Backoff(entropy)
    return [round(backoff.delay(cause, since), 3) for _ in range(tries)]


def test_a14_an_absent_brain_is_tried_with_doubling_delays_up_to_the_cap():
    assert delays(0, 8) == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_the_cap_of_the_brain_holds_once_it_is_known():
    backoff = Backoff(MOST)
    backoff.cap_s = 5.0

    assert max(backoff.delay(0, 0) for _ in range(10)) == 5.0


@pytest.mark.parametrize("away", [0, 4408])
def test_after_silence_the_brain_is_tried_as_often_as_after_any_other_absence(away):
    backoff = Backoff(MOST)
    backoff.cap_s = 3.0

    assert max(backoff.delay(away, 1e6) for _ in range(10)) == 3.0


@pytest.mark.parametrize("cause", CAUSES)
def test_no_delay_is_below_the_floor(cause):
    assert min(delays(cause, 5, entropy=LEAST)) == FLOOR_S


def test_a14_a_wrong_key_is_tried_more_often_while_somebody_is_setting_up():
    assert delays(4401, 9, since=60)[-1] == 60
    assert delays(4401, 9, since=700)[-1] == 300


def test_a_gap_is_retried_at_once_and_then_slower():
    assert delays(4410, 3)[0] == FLOOR_S
    assert delays(4410, 3)[2] > FLOOR_S


def test_who_was_sent_to_another_brain_dials_at_once_and_then_within_five_seconds():
    assert delays(4421, 8) == [FLOOR_S, 1, 2, 4, 5, 5, 5, 5]


def test_a_draining_brain_spreads_its_agents_over_three_seconds():
    backoff = Backoff(MOST)

    assert backoff.delay(4503, 0, 2.0) == 5.0


def test_only_a_session_that_lasted_forgives_the_tries():
    backoff = Backoff(MOST)
    for _ in range(5):
        backoff.delay(0, 0)

    backoff.opened(59)
    assert backoff.delay(0, 0) == 16
    backoff.opened(60)
    assert backoff.delay(0, 0) == 0.5


def test_an_absence_is_told_softly_then_aloud_after_a_minute_then_hourly():
    said = []
    complaints = Complaints(lambda level, text: said.append(level))

    for now in range(0, 7400, 10):
        complaints.tell("Z4J-E106", "refused", loud=False, now=float(now))

    assert said == ["info", "warning", "warning", "warning"]


def test_trouble_that_a_lucky_session_does_not_end_is_told_hourly():
    said = []
    complaints = Complaints(lambda level, text: said.append(text))

    for now in range(0, 7300, 10):
        complaints.tell("Z4J-E116", "elsewhere", loud=True, now=float(now))
        complaints.connected()

    assert said == ["Z4J-E116 elsewhere"] * 3


def test_after_a_connection_the_next_trouble_is_told_anew():
    said = []
    complaints = Complaints(lambda level, text: said.append(text))
    complaints.tell("Z4J-E110", "no", loud=True, now=0.0)

    complaints.connected()
    complaints.tell("Z4J-E110", "no", loud=True, now=1.0)

    assert len(said) == 2


def test_a_revoked_key_is_told_once_and_not_again_as_a_key_that_is_not_proven():
    said = []
    complaints = Complaints(lambda level, text: said.append(text))

    complaints.tell("Z4J-E111", "revoked", loud=True, now=0)
    complaints.tell("Z4J-E110", "not proven", loud=True, now=5)

    assert said == ["Z4J-E111 revoked"]
