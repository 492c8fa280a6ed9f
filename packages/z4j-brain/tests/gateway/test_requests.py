"""Named attacks on agents that poll. The rule: a handle alone reads, feeds and ends nothing."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select
from z4j_brain.agents import service
from z4j_brain.commands.seal import NewCommand, add_command
from z4j_brain.gateway import polled
from z4j_brain.tasks.model import tasks
from z4j_core.wire import RecordType, parse_key_id
from z4j_core.wire.poll import MAX_BATCH_BYTES, join, prove
from z4j_testing.signals import eventually

from .asked import BEAT, CLOCK, Asked, post

PROJECT = "0" * 31 + "1"
encode = msgspec.msgpack.encode


@pytest.fixture
def transport() -> str:
    """Here everything polls."""
    return "poll"


def task(task_id: str) -> bytes:
    return encode([1, 6, 9, CLOCK.wall_us(), "celery", "app", task_id, 0, 1, "shop.charge"])


def stored(brain: Any) -> int:
    with brain.db.reading() as conn:
        return int(conn.execute(select(func.count()).select_from(tasks)).scalar_one())


@pytest.fixture
def asked(brain: Any, agents: Any) -> Any:
    return lambda: Asked(brain, agents())


def test_facts_and_their_acknowledgement_go_in_requests(brain: Any, asked: Any) -> None:
    agent = asked().shake()

    assert agent.up(agent.open(), agent.wire.events_record(1, 1, 0, [task("t1")])) == 200
    marks = [agent.until(RecordType.ACK).marks[0].upto for _ in range(2)]

    assert (marks, stored(brain)) == ([0, 1], 1)


def test_w3_a_recorded_hello_and_register_open_no_second_session(brain: Any, asked: Any) -> None:
    victim = asked().shake()

    _, _, headers = post(brain, "hello", victim.said)
    handle = {name.lower(): value for name, value in headers.items()}["z4j-session"]
    status, body, _ = post(brain, "up", victim.register, handle)

    assert (status, body) == (401, b"")
    assert victim.goes_on()


def test_w4_a_record_of_another_session_is_refused(brain: Any, asked: Any) -> None:
    mine, other = asked().shake(), asked().shake()

    status, _, _ = post(brain, "up", join([other.open()]), mine.handle)

    assert status == 403
    assert mine.goes_on()


def test_w5_records_of_the_brain_sent_back_are_refused(brain: Any, asked: Any) -> None:
    agent = asked().shake()
    _, body, _ = post(brain, "up", join([agent.open()]), agent.handle)

    status, _, _ = post(brain, "up", body, agent.handle)

    assert (status, bool(body)) == (403, True)
    agent.take(body)
    assert agent.goes_on()


def test_w7_a_request_sent_twice_is_carried_out_once(brain: Any, asked: Any) -> None:
    agent = asked().shake()
    agent.up(agent.open(), agent.wire.events_record(1, 1, 0, [task("t1")]))

    again = post(brain, "up", agent.last, agent.handle)

    assert again[:2] == (403, b"")
    assert [agent.until(RecordType.ACK).marks[0].upto for _ in range(2)] == [0, 1]
    assert stored(brain) == 1
    assert agent.goes_on()


def test_w6_a_gap_inside_a_request_ends_the_session(brain: Any, asked: Any) -> None:
    agent = asked().shake()
    records = [agent.wire.send(RecordType.BEAT, BEAT) for _ in range(3)]

    agent.up(records[0], records[2])

    assert post(brain, "down", agent.proof(), agent.handle)[0] in (400, 410)
    eventually(lambda: not brain.gateway.connected(PROJECT), "no agent", 20)


def test_w2_whoever_only_knows_the_handle_learns_nothing_and_ends_nothing(
    brain: Any, asked: Any
) -> None:
    victim = asked().shake()
    victim.up(victim.open())

    guesses = [
        post(brain, "down", body, victim.handle)[:2]
        for body in (b"", bytes(40), prove(bytes(32), 1), prove(bytes(32), 2), bytes(41))
    ] + [
        post(brain, "up", body, victim.handle)[:2]
        for body in (b"", b"\0", join([bytes(44)]), join([bytes(100)] * 9), bytes(MAX_BATCH_BYTES))
    ]

    assert {status for status, _ in guesses} <= {400, 403, 413}
    assert {body for _, body in guesses} == {b""}
    assert victim.until(RecordType.ACK).marks
    assert victim.goes_on()


def test_w7_a_recorded_poll_gets_nothing(brain: Any, asked: Any) -> None:
    victim = asked().shake()
    wanted(brain)
    assert victim.down()
    recorded = prove(victim.wire.poll_key, 1)
    victim.up(victim.wire.send(RecordType.BEAT, BEAT))

    status, body, _ = post(brain, "down", recorded, victim.handle)

    assert (status, body) == (409, b"")
    assert victim.until(RecordType.PONG).n == 1


def test_w27_two_polls_at_once_end_the_session(brain: Any, asked: Any) -> None:
    agent = asked().shake()
    answers: list[Any] = []
    bodies = [agent.proof(), agent.proof()]
    first = threading.Thread(
        target=lambda: answers.append(post(brain, "down", bodies[0], agent.handle))
    )
    first.start()
    (waiting,) = brain.gateway._requests._sessions.values()
    eventually(lambda: waiting.is_polled, "the first poll")

    second, _, _ = post(brain, "down", bodies[1], agent.handle)
    first.join(30)

    assert second == 409
    (closed,) = agent.take(answers[0][1])
    assert (closed.type, closed.body.code) == (RecordType.CLOSE, 4400)


def test_a_handle_this_brain_never_gave_belongs_to_another(brain: Any) -> None:
    answers = {post(brain, door, bytes(40), "ab" * 16)[0] for door in ("up", "down")}

    assert answers == {421}


def test_w25_a_browser_cannot_speak_for_an_agent(brain: Any, asked: Any) -> None:
    agent = asked().shake()

    answers = [
        post(brain, door, body, agent.handle, Origin="https://evil.example")[:2]
        for door, body in (("hello", b"x"), ("up", agent.open()), ("down", agent.proof()))
    ]

    assert answers == [(403, b"")] * 3


def test_h19_no_answer_is_kept_by_a_cache(brain: Any, asked: Any) -> None:
    agent = asked().shake()

    answers = [
        post(brain, "hello", b"no hello"),
        post(brain, "up", b"", agent.handle),
        post(brain, "down", bytes(40), "no handle"),
    ]

    for _, _, headers in answers:
        assert {name.lower(): v for name, v in headers.items()}["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("door", "size"), [("hello", 4_097), ("hello", 10_000_000), ("up", 4_101), ("down", 41)]
)
def test_w21_more_than_four_kibibytes_before_the_proof_are_not_read(
    brain: Any, asked: Any, door: str, size: int
) -> None:
    agent = asked()
    agent.hello()

    with started(brain, door, agent.handle, f"Content-Length: {size}") as stranger:
        assert stranger.recv(4096).startswith(b"HTTP/1.1 413")


def test_w21_a_body_without_end_is_cut_off(brain: Any, asked: Any) -> None:
    agent = asked().shake()

    with started(brain, "up", agent.handle, "Transfer-Encoding: chunked") as stranger:
        chunk = b"10000\r\n" + bytes(65_536) + b"\r\n"
        try:
            for _ in range(20):
                stranger.sendall(chunk)
            said = stranger.recv(4096)
        except ConnectionError:
            said = b"HTTP/1.1 413"
        assert said.startswith(b"HTTP/1.1 413")
    assert agent.goes_on()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_h16_a_compressed_body_is_not_looked_at(brain: Any, asked: Any, encoding: str) -> None:
    agent = asked().shake()

    body = {"Content-Encoding": encoding}
    assert post(brain, "up", agent.open(), agent.handle, **body)[0] == 415


def test_w21_a_slow_hello_is_ended_and_holds_its_place_only_until_then(
    brain: Any, asked: Any
) -> None:
    with ExitStack() as held:
        slow = [
            held.enter_context(started(brain, "hello", "", "Content-Length: 100"))
            for _ in range(64)
        ]
        eventually(lambda: brain.gateway._core.pending._total == 64, "64 handshakes")

        assert post(brain, "hello", b"x")[0] == 429
        assert {one.recv(4096)[:12] for one in slow} == {b"HTTP/1.1 408"}

    assert asked().shake().goes_on()


def test_w21_a_handshake_that_is_not_carried_on_is_forgotten(brain: Any, asked: Any) -> None:
    agents = [asked() for _ in range(3)]
    for agent in agents:
        agent.hello()
    assert len(brain.gateway._requests) == 3

    eventually(lambda: not len(brain.gateway._requests), "an empty table", 20)

    assert post(brain, "up", b"", agents[0].handle)[0] == 410


def test_w21_slow_bodies_under_a_known_handle_do_not_stop_its_agent(brain: Any, asked: Any) -> None:
    victim = asked().shake()

    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(started(brain, "up", victim.handle, "Content-Length: 1000"))

        assert victim.goes_on()


def test_more_than_a_few_requests_a_second_end_the_session_with_4429(
    brain: Any, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polled, "UPS_PER_S", 0.01)
    agent = asked().shake()

    answers = {agent.up(agent.wire.send(RecordType.BEAT, BEAT)) for _ in range(9)}
    agent.up(agent.wire.send(RecordType.BEAT, BEAT))

    assert answers == {200}
    assert agent.until(RecordType.CLOSE).code == 4429


def test_an_agent_that_vanished_is_forgotten_at_once_when_it_was_polling(
    brain: Any, asked: Any
) -> None:
    agent = asked().shake()
    made = http.client.HTTPConnection("127.0.0.1", brain.port)
    made.request("POST", "/api/agent/down", agent.proof(), {"Z4J-Session": agent.handle})
    (waiting,) = brain.gateway._requests._sessions.values()
    eventually(lambda: waiting.is_polled, "a poll")

    made.close()

    eventually(lambda: not brain.gateway.connected(PROJECT), "no agent", 20)
    eventually(lambda: not len(brain.gateway._requests), "an empty table", 20)


def test_an_agent_that_vanished_between_polls_is_forgotten_soon(
    brain: Any, asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polled, "UNPOLLED_S", 0.2)
    asked().shake()

    eventually(lambda: not brain.gateway.connected(PROJECT), "no agent", 20)
    eventually(lambda: not len(brain.gateway._requests), "an empty table", 20)


def test_what_a_brain_has_to_say_waits_between_two_polls(brain: Any, asked: Any) -> None:
    agent = asked().shake()
    wanted(brain)
    agent.until(RecordType.COMMAND)

    with brain.db.writing() as conn:
        key = parse_key_id(agent.agent.key.key_id)
        service.revoke_key(conn, key.cred_id.hex(), CLOCK.wall_us())
    eventually(lambda: not brain.gateway.connected(PROJECT), "no agent", 20)

    assert agent.until(RecordType.CLOSE).code == 4403


def test_a_brain_that_goes_down_sends_its_agents_elsewhere(brain: Any, asked: Any) -> None:
    import asyncio

    agent = asked().shake()
    asyncio.run_coroutine_threadsafe(brain.gateway.drain(), brain.loop).result(10)

    closed = agent.until(RecordType.CLOSE)

    assert (closed.code, closed.retry_after_ms) == (4503, 1_000)
    assert post(brain, "hello", b"x")[0] == 503


def wanted(brain: Any) -> None:
    """Let the brain have a command to send."""
    now = CLOCK.wall_us()
    new = NewCommand(
        cmd_id="c3" * 16, project_id=PROJECT, engine="celery", app="app", verb="cancel", scope=1,
        targets=["t1"], deadline_us=now + 30_000_000, created_us=now, actor=["u1", "Ann", "ui"],
    )  # fmt: skip
    with brain.db.writing() as conn:
        add_command(conn, brain.roots, new)
    brain.wake()


def started(brain: Any, door: str, handle: str, *headers: str) -> socket.socket:
    """A request of which only the head was sent."""
    lines = [f"POST /api/agent/{door} HTTP/1.1", "Host: 127.0.0.1", f"Z4J-Session: {handle}"]
    made = socket.create_connection(("127.0.0.1", brain.port), timeout=20)
    made.sendall("\r\n".join([*lines, *headers, "", ""]).encode())
    return made
