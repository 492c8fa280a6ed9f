"""The fake brain is a brain: what an agent sees of it over a real socket."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from z4j_core.errors import WireError
from z4j_core.wire import PROTOCOL, AgentSession, RecordType, pack_item
from z4j_core.wire.bodies import Beat, SpoolState
from z4j_core.wire.items import Result, Tag
from z4j_testing.brain import FakeBrain
from z4j_testing.wire import REGISTER, STREAM, sample_open, sample_task


class Agent:
    """The least agent: one socket, one session, no thread."""

    def __init__(self, where, socket, nonce, credential):
        self.session = AgentSession(
            credential or where.credential,
            url=where.url,
            project=where.project,
            nonce=nonce,
            now=0.0,
        )
        self.socket = socket

    def shake(self, register=REGISTER):
        self.socket.send(self.session.hello())
        self.session.receive_challenge(self.socket.recv(timeout=5))
        self.socket.send(self.session.register(register))
        return self.receive()

    def send(self, type_, body):
        self.socket.send(self.session.send(type_, body))

    def events(self, first, *items, handle=1):
        bodies = [pack_item(item) for item in items]
        self.socket.send(self.session.events_record(handle, first, 0, bodies))

    def receive(self):
        return self.session.receive(self.socket.recv(timeout=5), 0.0)


@contextmanager
def agent_of(brain, nonce=b"\xa1" * 32, credential=None):
    options = {"subprotocols": [PROTOCOL], "compression": None, "ping_interval": None}
    with connect(brain.address.url, **options) as socket:
        yield Agent(brain.address, socket, nonce, credential)


@pytest.fixture
def brain():
    with FakeBrain() as running:
        yield running


def test_an_agent_registers_opens_and_gets_its_items_acknowledged(brain):
    with agent_of(brain) as agent:
        welcome = agent.shake()
        agent.send(RecordType.OPEN, (sample_open(),))
        resumed = agent.receive()
        agent.events(1, sample_task(1), sample_task(2))
        acked = agent.receive()

    assert welcome.type == RecordType.WELCOME
    assert resumed.body.marks == ((1, 0),)
    assert acked.body.marks == ((1, 2),)
    assert brain.store.items == [sample_task(1), sample_task(2)]


def test_an_agent_that_comes_back_resumes_behind_what_is_stored(brain):
    brain.knobs.drop_before_ack = True
    with agent_of(brain) as agent:
        agent.shake()
        agent.send(RecordType.OPEN, (sample_open(),))
        agent.receive()
        agent.events(1, sample_task(1), sample_task(2))
        with pytest.raises(ConnectionClosed):
            agent.receive()

    with agent_of(brain, nonce=b"\xa2" * 32) as agent:
        agent.shake()
        agent.send(RecordType.OPEN, (sample_open(),))
        resumed = agent.receive()
        agent.events(2, sample_task(2), sample_task(3))
        agent.receive()

    assert resumed.body.marks == ((1, 2),)
    assert brain.store.items == [sample_task(1), sample_task(2), sample_task(3)]


def test_a_command_reaches_the_agent_and_its_result_comes_back(brain):
    with agent_of(brain) as agent:
        agent.shake()
        agent.send(RecordType.OPEN, (sample_open(2, klass=1),))
        agent.receive()
        brain.wait_for_agent()
        cmd_id = brain.command("retry", "toy", "redis://broker/0", ["id-1"], {"x": 1})
        order = agent.receive()
        agent.events(1, Result(Tag.RESULT, 1, order.body.cmd_id, 2, "", "", {}), handle=2)
        result = brain.result(cmd_id)

    assert order.body.targets == ("id-1",)
    assert result.state == 2


def test_an_unknown_key_meets_a_decoy_and_fails_at_its_proof(brain):
    stranger = brain.credential._replace(cred_id=b"\x77" * 16)

    with agent_of(brain, credential=stranger) as agent, pytest.raises(WireError) as error:
        agent.shake()

    assert error.value.kind == "Auth"
    assert brain.store.registers == []


def test_a_refused_live_key_is_told_the_real_cause(brain):
    brain.knobs.refuse, brain.knobs.detail = 4404, "this key is for project shop"

    with agent_of(brain) as agent, pytest.raises(WireError, match="project shop") as error:
        agent.shake()

    assert error.value.close_code == 4404


def test_the_newer_connection_of_a_stream_wins(brain):
    with agent_of(brain) as old, agent_of(brain, nonce=b"\xa2" * 32) as new:
        old.shake()
        brain.wait_for_agent(STREAM)
        new.shake()
        closed = old.receive()

    assert closed.body.code == 4409


def test_w27_a_zombie_session_is_fenced_by_the_epoch(brain):
    with agent_of(brain) as zombie, agent_of(brain, nonce=b"\xa2" * 32) as heir:
        zombie.shake()
        zombie.send(RecordType.OPEN, (sample_open(),))
        zombie.receive()
        heir.shake(replace(REGISTER, stream=b"\x52" * 16))
        heir.send(RecordType.OPEN, (sample_open(epoch=2),))
        heir.receive()
        zombie.events(1, sample_task(1))
        closed = zombie.receive()

    assert closed.body.code == 4409
    assert brain.store.tasks == []


def test_w28_a_stream_belongs_to_the_credential_that_opened_it_first(brain):
    with agent_of(brain) as owner:
        owner.shake()
        owner.send(RecordType.OPEN, (sample_open(),))
        owner.receive()

    with agent_of(brain, nonce=b"\xa2" * 32, credential=brain.add_key()) as thief:
        thief.shake(replace(REGISTER, stream=b"\x52" * 16))
        thief.send(RecordType.OPEN, (sample_open(epoch=2),))
        closed = thief.receive()

    assert closed.body.code == 4409
    assert [one.kind for one in brain.store.faults] == ["Epoch"]


def test_w29_a_gap_closes_the_session_and_stores_nothing(brain):
    with agent_of(brain) as agent:
        agent.shake()
        agent.send(RecordType.OPEN, (sample_open(),))
        agent.receive()
        agent.events(2, sample_task(2))
        closed = agent.receive()

    assert closed.body.code == 4410
    assert brain.store.items == []


def test_a_repeated_nonce_is_refused(brain):
    with agent_of(brain) as agent:
        agent.shake()

    with agent_of(brain) as agent, pytest.raises(ConnectionClosed) as closed:
        agent.shake()

    assert closed.value.rcvd.code == 4401


def test_w33_a_missing_subprotocol_a_foreign_path_and_any_origin_are_refused(brain):
    url = brain.address.url
    answers = []
    for place, options in (
        (url, {"subprotocols": [PROTOCOL], "origin": "https://evil.example"}),
        (url + "/x", {"subprotocols": [PROTOCOL]}),
        (url, {}),
    ):
        with pytest.raises(InvalidStatus) as refused, connect(place, **options):
            pass
        answers.append(refused.value.response.status_code)

    assert answers == [403, 404, 400]


def test_w24_a_text_message_is_malformed(brain):
    with agent_of(brain) as agent:
        agent.socket.send("hello")
        with pytest.raises(ConnectionClosed) as closed:
            agent.socket.recv(timeout=5)

    assert closed.value.rcvd.code == 4400


def test_a_hanging_brain_answers_nothing_and_still_stops():
    with FakeBrain() as brain:
        brain.knobs.hang = True
        with agent_of(brain) as agent:
            agent.socket.send(agent.session.hello())
            with pytest.raises(TimeoutError):
                agent.socket.recv(timeout=0.05)

    assert not [one for one in threading.enumerate() if one.name == "fake-brain"]


def test_acks_can_be_held_and_flow_and_beats_answered(brain):
    brain.knobs.hold_acks = True
    with agent_of(brain) as agent:
        agent.shake()
        agent.send(RecordType.OPEN, (sample_open(),))
        agent.receive()
        agent.events(1, sample_task(1))
        beat = Beat(1, 99, 0, SpoolState(0, 0, 0, 0), None, None, None, None, None, 1, 2, ())
        agent.send(RecordType.BEAT, beat)
        pong = agent.receive()
        brain.release_acks()
        acked = agent.receive()
        brain.flow(pause_ms=50)
        flow = agent.receive()
        brain.close(4503, "draining", 2_000)
        closed = agent.receive()

    assert (pong.body.n, pong.body.mono) == (1, 99)
    assert acked.body.marks == ((1, 1),)
    assert flow.body.pause_ms == 50
    assert (closed.body.code, closed.body.retry_after_ms) == (4503, 2_000)


def test_a_brain_restarted_on_its_port_remembers_what_it_stored():
    with FakeBrain() as brain:
        with agent_of(brain) as agent:
            agent.shake()
            agent.send(RecordType.OPEN, (sample_open(),))
            agent.receive()
            agent.events(1, sample_task(1))
            agent.receive()
        brain.stop()
        brain.start()
        with agent_of(brain, nonce=b"\xa2" * 32) as agent:
            agent.shake()
            agent.send(RecordType.OPEN, (sample_open(),))
            resumed = agent.receive()

    assert resumed.body.marks == ((1, 1),)


def test_a_command_has_its_minute_however_old_the_session_is(brain):
    with agent_of(brain) as agent:
        agent.shake()
        link = brain.wait_for_agent()
        link.welcomed_at -= 3600

        brain.command("purge", "toy", "redis://broker/0", ["mail"])

        assert agent.receive().body.deadline_ms >= 3_660_000


def test_a_worker_hears_what_stands_before_anything_else(brain):
    brain.stand("pause", "toy", "redis://broker/0", ["mail"], {"again": True})
    with agent_of(brain) as agent:
        agent.shake(replace(REGISTER, role="worker"))

        told = agent.receive().body

    assert (told.verb, told.targets, told.params) == ("pause", ("mail",), {"again": True})
