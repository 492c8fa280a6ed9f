"""Which way an agent goes: a WebSocket where one gets through, requests where none does."""

from __future__ import annotations

import logging

import pytest
from z4j_core import EventKind, TaskEvent
from z4j_core.agent import transport as ways
from z4j_core.agent.link import Closed
from z4j_core.agent.transport import AGAIN_S, LIKE_A_PROXY, SOON_S, Transport
from z4j_core.config import Dsn, Settings, load
from z4j_core.errors import Away, WireError
from z4j_core.wire import Credential, Secret
from z4j_testing.clock import FakeClock
from z4j_testing.signals import eventually

STARTED = EventKind.STARTED
SOMEWHERE = Dsn("http", "127.0.0.1", 9, "", "demo", Credential(bytes(16), 1, Secret(bytes(32))))


class Dialled:
    """Stands where connections are opened: notes which way was taken, fails as it is told."""

    def __init__(self, name):
        self.name, self.error, self.tries = name, None, 0

    def dial(self, *_where):
        self.tries += 1
        if self.error is not None:
            raise self.error
        return self

    def close(self):
        pass


class World:
    """A transport over two ways that the test opens and shuts."""

    def __init__(self, wanted):
        self.clock = FakeClock()
        self.websocket, self.poll = Dialled("websocket"), Dialled("poll")
        self.transport = Transport(Settings(transport=wanted), self.clock)

    def attempt(self):
        """One try, as the agent makes it; the way it went."""
        try:
            link = self.transport.dial(SOMEWHERE)
        except Away as error:
            self.transport.failed(error)
        else:
            link.is_new = self.transport.welcomed()
        return self.transport.name


@pytest.fixture
def world(monkeypatch, request):
    made = World(getattr(request, "param", "auto"))
    monkeypatch.setattr(ways, "connector", made.websocket)
    monkeypatch.setattr(ways, "poll", made.poll)
    return made


def refused(status):
    return Away("Z4J-E108", "no", status)


@pytest.mark.parametrize("status", sorted(LIKE_A_PROXY))
def test_two_upgrades_refused_as_by_a_proxy_lead_to_requests(world, status):
    world.websocket.error = refused(status)

    assert [world.attempt() for _ in range(4)] == ["websocket", "websocket", "poll", "poll"]


@pytest.mark.parametrize("error", [Away("Z4J-E106", "refused"), refused(401), refused(503)])
def test_an_absent_brain_is_no_proxy(world, error):
    world.websocket.error = error

    assert {world.attempt() for _ in range(9)} == {"websocket"}


def test_the_two_tries_follow_each_other(world):
    tries = []
    for error in (refused(403), Away("Z4J-E106", "away"), refused(403), refused(403), None):
        world.websocket.error = error
        tries.append(world.attempt())

    assert tries == ["websocket"] * 4 + ["poll"]


def test_no_answer_to_the_handshake_counts_and_a_refusal_by_the_brain_does_not(world):
    for error in (Closed(4408, "no answer"), WireError("Auth", "no", 4401)) * 3:
        world.transport.dial(SOMEWHERE)
        world.transport.failed(error)
    assert world.transport.name == "websocket"

    for _ in range(3):
        world.transport.dial(SOMEWHERE)
        world.transport.failed(Closed(4408, "no answer"))

    assert world.transport.name == "poll"


def test_where_requests_do_not_work_either_both_are_tried_in_turn(world):
    world.websocket.error, world.poll.error = refused(502), refused(502)

    tries = [world.attempt() for _ in range(6)]

    assert tries == ["websocket", "websocket", "poll"] * 2


def test_whom_another_brain_answers_goes_on_with_requests(world):
    world.websocket.error = refused(502)
    tries = [world.attempt() for _ in range(3)]
    world.transport.dial(SOMEWHERE)

    for _ in range(3):
        world.transport.failed(Closed(4421, "elsewhere"))
        tries.append(world.transport.dial(SOMEWHERE).name)

    assert tries == ["websocket"] * 2 + ["poll"] * 4


def test_a_session_that_ended_says_nothing_about_the_way(world):
    world.attempt()

    for _ in range(5):
        world.transport.failed(Closed(4408, "silence"))

    assert world.attempt() == "websocket"


def polling(world, status=403):
    world.websocket.error = refused(status)
    for _ in range(3):
        world.attempt()
    assert world.transport.name == "poll"
    world.websocket.tries = 0


def test_a_websocket_is_tried_again_every_ten_minutes_and_not_before(world):
    polling(world)

    for _ in range(2):
        world.clock.advance(AGAIN_S - 1)
        assert not world.transport.is_websocket_open()
        world.clock.advance(1)
        assert not world.transport.is_websocket_open()

    assert world.websocket.tries == 2


def test_once_a_websocket_gets_through_the_next_session_is_one_again(world):
    polling(world)
    world.websocket.error = None
    world.clock.advance(AGAIN_S)

    assert world.transport.is_websocket_open()
    assert world.attempt() == "websocket"
    world.websocket.error = refused(403)
    assert [world.attempt() for _ in range(3)] == ["websocket", "websocket", "poll"]


def test_a_websocket_that_only_seemed_to_get_through_leads_back_at_once(world):
    polling(world)
    world.websocket.error = None
    world.clock.advance(AGAIN_S)
    assert world.transport.is_websocket_open()

    world.transport.dial(SOMEWHERE)
    world.transport.failed(Closed(4408, "no answer to the handshake"))

    assert world.attempt() == "poll"
    assert not world.transport.is_websocket_open()


def test_a_restarting_brain_behind_a_proxy_does_not_lose_its_websockets_for_long(world):
    polling(world, status=502)
    world.websocket.error = None
    world.clock.advance(SOON_S)

    assert world.transport.is_websocket_open()


def test_an_agent_without_a_session_tries_a_websocket_when_it_is_time(world):
    polling(world)
    world.clock.advance(AGAIN_S)

    assert [world.attempt() for _ in range(3)] == ["websocket", "poll", "poll"]


@pytest.mark.parametrize("world", ["websocket", "poll"], indirect=True)
def test_a_way_that_is_set_is_the_only_one(world):
    wanted = Settings(transport=world.transport._wanted).transport
    world.websocket.error = world.poll.error = refused(403)

    tries = {world.attempt() for _ in range(5)}
    world.clock.advance(AGAIN_S)

    assert tries == {wanted}
    assert not world.transport.is_websocket_open()


def test_another_way_than_the_two_is_a_fault_and_changes_nothing():
    loaded = load({"transport": "pigeon"}, environ={})

    assert loaded.settings.transport == "auto"
    assert [code for code, _ in loaded.faults] == ["Z4J-E014"]


@pytest.fixture
def transport():
    """Here the agent decides."""
    return "auto"


@pytest.mark.parametrize("status", [200, 403, 426])
def test_where_upgrades_are_refused_facts_and_commands_flow_and_one_line_says_how(
    brain, start, caplog, status
):
    caplog.set_level(logging.INFO, "z4j")
    brain.knobs.no_upgrade = status
    handle, engine = start(allow="all")

    engine.emit(TaskEvent(STARTED, "t1"))
    brain.wait_for(lambda: brain.store.kinds("t1") == [4], 20)
    result = brain.result(brain.command("cancel", "toy", "toyapp", ["t1"]))

    assert (result.state, engine.cancelled) == (2, ["t1"])
    told = [r.getMessage() for r in caplog.records if "Z4J-E109" in r.getMessage()]
    assert len(told) == 1
    assert f"(HTTP {status})" in told[0]
    assert handle.status()["transport"] == "poll"


def test_where_an_upgrade_is_swallowed_facts_flow_nevertheless(brain, start, monkeypatch):
    monkeypatch.setattr("z4j_core.agent.channel.HANDSHAKE_S", 0.3)
    brain.knobs.deaf_sockets = True

    _, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))

    brain.wait_for(lambda: brain.store.kinds("t1") == [4], 30)


def test_a_session_moves_to_a_websocket_once_one_gets_through(brain, start, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "z4j")
    monkeypatch.setattr(ways, "AGAIN_S", 0.5)
    brain.knobs.no_upgrade = 403
    handle, engine = start()
    engine.emit(TaskEvent(STARTED, "t1"))
    brain.wait_for(lambda: brain.store.kinds("t1") == [4], 20)

    brain.knobs.no_upgrade = 0
    eventually(lambda: handle.status()["transport"] == "websocket", "a WebSocket", 20)
    engine.emit(TaskEvent(STARTED, "t2"))

    assert handle.flush(10)
    assert [brain.store.kinds(name) for name in ("t1", "t2")] == [[4], [4]]
    assert any("by WebSocket again" in record.getMessage() for record in caplog.records)


def test_a_brain_that_knows_no_requests_is_told_as_no_brain(brain, start, caplog):
    brain.knobs.no_upgrade, brain.knobs.no_polls = 403, True
    handle, engine = start()

    engine.emit(TaskEvent(STARTED, "t1"))

    eventually(lambda: "HTTP 404" in handle.status()["trouble"], "what ails requests", 20)
    brain.knobs.no_upgrade = 0
    brain.wait_for(lambda: brain.store.kinds("t1") == [4], 20)
