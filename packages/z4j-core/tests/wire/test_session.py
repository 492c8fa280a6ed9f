"""A session as a machine: states, limits, deadlines, compression."""

from dataclasses import replace
from itertools import product

import pytest
from z4j_core.errors import WireError
from z4j_core.wire import AgentSession, RecordType, State, decode_events, pack_item
from z4j_core.wire.bodies import Ack, Close, Flow, Mark, Snapshot, Want
from z4j_core.wire.session import TRANSITIONS
from z4j_testing.wire import CREDENTIAL, URL, WELCOME, Pair, sample_task

_T = RecordType
EVENTS = {event for _, event in TRANSITIONS}


def test_what_the_table_does_not_list_is_a_state_fault():
    for state, event in product(State, EVENTS):
        agent = AgentSession(CREDENTIAL, url=URL, project="demo", nonce=bytes(32), now=0.0)
        agent.state = state
        if (state, event) in TRANSITIONS:
            assert agent._next(event) is TRANSITIONS[state, event]
        else:
            with pytest.raises(WireError) as error:
                agent._next(event)
            assert error.value.kind == "State"


def test_every_state_but_closed_leads_somewhere():
    assert {state for state, _ in TRANSITIONS} == set(State) - {State.CLOSED}


def test_credit_follows_welcome_ack_and_flow():
    pair = Pair(welcome=replace(WELCOME, credit=4))
    seen = [pair.agent.credit]
    pair.carry(_T.ACK, Ack((Mark(1, 1),), 7))
    seen.append(pair.agent.credit)
    pair.carry(_T.FLOW, Flow(2, 0, 0))
    seen.append(pair.agent.credit)

    assert seen == [4, 7, 2]


def test_the_handshake_has_five_seconds_and_then_silence_decides():
    pair = Pair(opened=False)
    assert pair.brain.deadline == pair.agent.deadline == pair.now + 5

    pair = Pair()
    assert pair.agent.deadline == pair.now + 25
    assert pair.brain.deadline == pair.now + 30

    pair.now += 20
    pair.carry(_T.WANT, (Want(1, "toy", "app", 0),))
    assert pair.brain.deadline == pair.now + 30


def test_a_session_ends_with_its_lifetime_however_lively_it_is():
    pair = Pair()
    opened = pair.now
    pair.now += 0.9 * 86_400

    pair.carry(_T.WANT, (Want(1, "toy", "app", 0),))
    pair.now = opened + 1.1 * 86_400 - 1
    pair.carry(_T.WANT, (Want(1, "toy", "app", 0),))

    assert pair.agent.deadline <= opened + 86_400
    assert pair.brain.deadline == opened + 1.1 * 86_400


def test_a_batch_that_does_not_fit_uses_no_number():
    pair = Pair(welcome=replace(WELCOME, deflate_min=0))
    before = pair.agent.records_sent

    with pytest.raises(WireError) as error:
        pair.agent.events_record(1, 1, 0, [b"\xc0" * 262_145])

    assert error.value.kind == "Size"
    assert error.value.close_code == 4413
    assert pair.agent.records_sent == before
    pair.carry_events(1, [pack_item(sample_task(1))])


def test_the_brain_may_ask_for_smaller_records():
    pair = Pair(welcome=replace(WELCOME, deflate_min=0), max_rec=1_000)

    with pytest.raises(WireError) as error:
        pair.agent.events_record(1, 1, 0, [b"\xc0" * 1_000])
    assert error.value.kind == "Size"

    pair.agent.events_record(1, 1, 0, [b"\xc0" * 900])


def test_a_batch_that_would_inflate_to_more_than_a_mebibyte_is_never_sent():
    pair = Pair()

    with pytest.raises(WireError) as error:
        pair.agent.events_record(1, 1, 0, [b"\xc0" * 1_048_577])

    assert error.value.kind == "Size"


def test_items_arrive_as_the_bytes_they_were_spooled_as():
    pair = Pair()
    bodies = [pack_item(sample_task(n)) for n in range(20)]

    batch = decode_events(pair.carry_events(7, bodies, handle=3).raw)

    assert batch.head == (3, 7, 0)
    assert list(batch.raw) == bodies
    assert batch.items == tuple(sample_task(n) for n in range(20))


@pytest.mark.parametrize(("deflate_min", "deflated"), [(0, False), (8_192, True), (10**6, False)])
def test_large_batches_are_deflated_when_the_brain_wants_it(deflate_min, deflated):
    pair = Pair(welcome=replace(WELCOME, deflate_min=deflate_min))
    bodies = [pack_item(sample_task(n)) for n in range(100)]

    received = pair.carry_events(1, bodies)

    assert (pair.last[3] == 1) is deflated
    assert (len(pair.last) < len(received.raw)) is deflated
    assert list(decode_events(received.raw).raw) == bodies


def test_snapshots_are_deflated_and_commands_of_any_size_are_not():
    pair = Pair(welcome=replace(WELCOME, deflate_min=1))
    page = Snapshot(2, "toy", "app", b"h" * 8, 0, 1, [["queue", 0]] * 100)

    received = pair.carry(_T.SNAPSHOT, page)
    flags = pair.last[3]
    pair.carry(_T.WANT, (Want(1, "toy", "app", 0),))

    assert received.body == page
    assert (flags, pair.last[3]) == (1, 0)


def test_close_carries_code_reason_and_pause():
    pair = Pair()

    closed = pair.agent.receive(pair.brain.close(4503, "x" * 300, 2_000), 0.0)

    assert closed.body == Close(4503, "x" * 200, 2_000)
    with pytest.raises(WireError, match="while closed"):
        pair.brain.close(4503)


def test_hello_is_said_once():
    pair = Pair()

    with pytest.raises(WireError) as error:
        pair.agent.hello()

    assert error.value.kind == "State"
