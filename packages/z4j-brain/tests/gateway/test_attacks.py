"""Named attacks on the gateway of a real brain. The rule: refused by its code, nothing applied."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, insert, select
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from z4j_brain.agents import service
from z4j_brain.agents.model import agents as agents_table
from z4j_brain.agents.model import quarantine, refused_attempts
from z4j_brain.commands.model import commands
from z4j_brain.commands.seal import NewCommand, add_command
from z4j_brain.projects.model import projects
from z4j_brain.tasks.model import tasks
from z4j_core.clock import SystemClock
from z4j_core.errors import WireError
from z4j_core.wire import RecordType

CLOCK = SystemClock()
PROJECT, OTHER = "0" * 31 + "1", "0" * 31 + "2"
YEAR_US = 366 * 86_400 * 1_000_000
encode = msgspec.msgpack.encode


def task(task_id: str, *, at: int = 0, state: int = 9, kind: int = 6, more: Any = ()) -> bytes:
    """A TASK item; `more` holds further positions."""
    row = [1, kind, state, at or CLOCK.wall_us(), "celery", "app", task_id, 0, 1, "shop.charge"]
    return encode(row + list(more))


def stored(brain: Any) -> int:
    with brain.db.reading() as conn:
        return int(conn.execute(select(func.count()).select_from(tasks)).scalar_one())


def closing_code(recv: Any) -> int:
    """The code a socket is closed with."""
    with pytest.raises(ConnectionClosed) as closed:
        all(recv() is not None for _ in iter(int, 1))
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def dialled(brain: Any, **more: Any) -> Any:
    options = {"subprotocols": ["z4j.2"], "compression": None, "ping_interval": None}
    return connect(brain.url, **options | {"close_timeout": 1} | more)


def test_w3_a_recorded_handshake_opens_no_second_session(brain: Any, agents: Any) -> None:
    victim = agents()
    hello = victim.wire.hello()
    victim.socket.send(hello)
    victim.wire.receive_challenge(victim.recv())
    register = victim.wire.register(victim.register())
    victim.socket.send(register)
    victim.receive()

    with dialled(brain) as thief:
        thief.send(hello)
        thief.recv(timeout=5)
        thief.send(register)
        code = closing_code(lambda: thief.recv(timeout=5))

    assert code == 4401
    assert victim.open() == 0


@pytest.mark.parametrize("brain", [{"public_url": "https://brain.example.com"}], indirect=True)
def test_w14_a_relay_to_another_url_is_refused(brain: Any, agents: Any) -> None:
    relayed = agents(url="wss://relay.example.net:443/api/agent/ws")

    relayed.socket.send(relayed.wire.hello())
    with pytest.raises(WireError, match=r"relay\.example\.net.* is not a URL of this brain") as no:
        relayed.wire.receive_challenge(relayed.recv())

    assert no.value.close_code == 4406
    direct = agents(url="wss://brain.example.com:443/api/agent/ws").shake()
    assert direct.open() == 0


def test_w18_only_the_log_of_the_brain_says_that_a_key_was_retired(brain: Any, agents: Any) -> None:
    key = brain.key()
    with brain.db.writing() as conn:
        service.retire_key(conn, key.cred_id, key.kid, CLOCK.wall_us())
    agent = agents(key)

    agent.socket.send(agent.wire.hello())
    challenge = agent.recv()
    with pytest.raises(WireError) as failure:
        agent.wire.receive_challenge(challenge)

    assert failure.value.kind == "Auth"
    assert b"retired" not in challenge
    with brain.db.reading() as conn:
        assert "retired" in conn.execute(select(refused_attempts.c.reason)).scalar_one()


@pytest.mark.parametrize("size", [4_097, 262_000])
def test_w21_more_than_four_kibibytes_before_the_proof_are_refused(brain: Any, size: int) -> None:
    with dialled(brain) as stranger:
        stranger.send(bytes(size))

        assert closing_code(lambda: stranger.recv(timeout=5)) == 4413


def test_w21_a_handshake_that_never_ends_is_ended_and_holds_its_place_only_until_then(
    brain: Any, agents: Any
) -> None:
    with ExitStack() as held:
        slow = [held.enter_context(dialled(brain)) for _ in range(64)]
        one_more = held.enter_context(dialled(brain))

        assert closing_code(lambda: one_more.recv(timeout=5)) == 4429
        assert {closing_code(lambda one=one: one.recv(timeout=10)) for one in slow} == {4408}

    assert agents().shake().open() == 0


def test_w23_compression_of_the_websocket_is_never_agreed(brain: Any) -> None:
    with dialled(brain, compression="deflate") as stranger:
        assert stranger.response.headers.get("Sec-WebSocket-Extensions") is None


@pytest.mark.parametrize("transport", ["websocket"])
def test_w24_text_is_malformed_before_and_after_the_proof(brain: Any, agents: Any) -> None:
    proven = agents().shake()
    with dialled(brain) as stranger:
        stranger.send("hello")
        proven.socket.send("hello")

        assert closing_code(lambda: stranger.recv(timeout=5)) == 4400
        assert closing_code(proven.recv) == 4400


@pytest.mark.parametrize("transport", ["websocket"])
def test_w24_a_record_in_fragments_of_one_byte_is_one_record(brain: Any, agents: Any) -> None:
    agent = agents().shake()
    agent.open()

    record = agent.wire.events_record(1, 1, 0, [task("t1")])
    agent.socket.send(bytes([byte]) for byte in record)

    assert agent.until(RecordType.ACK).marks[0].upto == 1


def test_w24_a_flood_of_pings_does_not_prolong_a_handshake(brain: Any) -> None:
    with dialled(brain) as stranger:
        began = CLOCK.monotonic()
        for _ in range(10_000):
            stranger.ping()
        code = closing_code(lambda: stranger.recv(timeout=10))

        assert (code, CLOCK.monotonic() - began < 8) == (4408, True)


def test_w24_an_unmasked_frame_ends_the_connection(brain: Any) -> None:
    with raw(brain, UPGRADE) as stranger:
        answer = stranger.recv(4096)
        stranger.sendall(b"\x82\x05hello")

        frame = stranger.recv(4096)

    assert answer.startswith(b"HTTP/1.1 101")
    assert (frame[0], int.from_bytes(frame[2:4], "big")) == (0x88, 1002)


def test_w26_a_clock_that_is_years_off_is_no_reason_to_refuse(brain: Any, agents: Any) -> None:
    now = CLOCK.wall_us()
    for off_us in (-10 * YEAR_US, -YEAR_US, YEAR_US, 10 * YEAR_US):
        agent = agents()
        honest = agent.register()
        agent.register = lambda honest=honest, off=off_us: replace(honest, clock=now + off)
        agent.shake().open()

        agent.events(1, [task(f"t{off_us}", at=now + off_us)])

        assert agent.until(RecordType.ACK).marks[0].upto == 1
    assert stored(brain) == 4


def test_w29_a_watermark_never_falls(brain: Any, agents: Any) -> None:
    agent = agents().shake()
    agent.open()
    agent.events(1, [task("t1"), task("t2"), task("t3")])
    agent.until(RecordType.ACK)

    agent.events(1, [task("forged")])
    mark = agent.until(RecordType.ACK).marks[0]

    assert (mark.upto, stored(brain)) == (3, 3)


@pytest.mark.parametrize("first", [2**63, 2**64 - 1])
def test_w29_an_offset_at_the_end_of_all_numbers_is_refused(
    brain: Any, agents: Any, first: int
) -> None:
    agent = agents().shake()
    agent.open()

    agent.socket.send(agent.wire.send(RecordType.EVENTS, [1, first, 0, [[1, 6, 9]]]))

    assert agent.until(RecordType.CLOSE).code in {4400, 4410}
    assert stored(brain) == 0


def test_w30_a_nonce_seen_before_is_refused_by_the_brain(brain: Any, agents: Any) -> None:
    key, nonce = brain.key(), os.urandom(32)
    agents(key, nonce=nonce).shake()
    again = agents(key, nonce=nonce)

    again.socket.send(again.wire.hello())
    again.wire.receive_challenge(again.recv())
    again.socket.send(again.wire.register(again.register()))

    assert closing_code(again.recv) == 4401


@pytest.mark.parametrize("offered", [None, ["z4j.1"], ["graphql-ws"]])
def test_w33_without_the_subprotocol_there_is_no_socket(brain: Any, offered: Any) -> None:
    with pytest.raises(InvalidStatus) as refused, dialled(brain, subprotocols=offered):
        pass

    assert refused.value.response.status_code == 400


def test_w35_one_poison_event_among_500_costs_nobody_else(brain: Any, agents: Any) -> None:
    agent = agents().shake()
    agent.open()
    bodies = [task(f"t{n}") for n in range(500)]
    bodies[250] = encode([1, "no kind", None])

    agent.events(1, bodies)

    assert agent.until(RecordType.ACK).marks[0].upto == 500
    with brain.db.reading() as conn:
        kept = conn.execute(select(func.count()).select_from(quarantine)).scalar()
    assert (stored(brain), kept) == (499, 1)


def test_w36_ids_and_times_inside_an_event_choose_nothing(brain: Any, agents: Any) -> None:
    foreign = agents(other_key(brain), project="other").shake()
    foreign.open()
    foreign.events(1, [task("shared", state=3, kind=4)])
    foreign.until(RecordType.ACK)
    mine = agents().shake()
    mine.open()

    links = [None] * 18 + ["shared", "../../etc", "' OR 1=1 --", "shared"]
    now = CLOCK.wall_us()
    mine.events(1, [task("shared", at=now + 10 * YEAR_US, more=links), task("no-uuid", more=links)])
    mine.until(RecordType.ACK)

    with brain.db.reading() as conn:
        rows = conn.execute(select(tasks.c.project_id, tasks.c.task_id, tasks.c.state)).all()
    assert {tuple(row) for row in rows} == {
        (OTHER, "shared", 3),
        (PROJECT, "shared", 9),
        (PROJECT, "no-uuid", 9),
    }


def test_c1_a_command_row_written_by_sql_is_never_delivered(brain: Any, agents: Any) -> None:
    agent = agents().shake()
    honest = wanted(brain, "a1" * 16)
    agent.until(RecordType.COMMAND)
    with brain.db.writing() as conn:
        row = dict(conn.execute(select(commands)).mappings().one())
        forged = row | {"cmd_id": "b2" * 16, "state": "ready", "targets": ["all"], "sent_to": None}
        conn.execute(insert(commands), [forged])

    brain.wake()
    brain.wait_for(lambda info: any("b2" * 16 in change.commands for change in info.projects))

    with brain.db.reading() as conn:
        found = conn.execute(select(commands.c.cmd_id, commands.c.state)).all()
    assert {tuple(row) for row in found} == {(honest, "sent"), ("b2" * 16, "refused")}


def test_c11_a_command_of_one_project_reaches_no_agent_of_another(brain: Any, agents: Any) -> None:
    foreign = agents(other_key(brain), project="other").shake()

    cmd_id = wanted(brain, "c3" * 16)
    mine = agents().shake()

    assert mine.until(RecordType.COMMAND).cmd_id.hex() == cmd_id
    foreign.open()
    with pytest.raises(TimeoutError):
        foreign.socket.recv(timeout=0.3)


UPGRADE = (
    b"GET /api/agent/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: z4j.2\r\n\r\n"
)


def raw(brain: Any, data: bytes) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", brain.port), timeout=5)
    made.sendall(data)
    return made


def other_key(brain: Any) -> Any:
    """A key of a second project."""
    now = CLOCK.wall_us()
    with brain.db.writing() as conn:
        conn.execute(
            insert(projects), [{"id": OTHER, "slug": "other", "name": "Other", "created": 0}]
        )
        return service.create_key(conn, brain.roots, os.urandom, project_id=OTHER, now_us=now)


def wanted(brain: Any, cmd_id: str) -> str:
    """A command as `authorize()` lets it be made."""
    now = CLOCK.wall_us()
    new = NewCommand(
        cmd_id=cmd_id, project_id=PROJECT, engine="celery", app="app", verb="cancel", scope=1,
        targets=["t1"], deadline_us=now + 30_000_000, created_us=now, actor=["u1", "Ann", "ui"],
    )  # fmt: skip
    with brain.db.writing() as conn:
        add_command(conn, brain.roots, new)
    brain.wake()
    return cmd_id


def test_w28_an_agent_speaks_for_its_own_project_alone(brain: Any, agents: Any) -> None:
    foreign = agents(other_key(brain), project="other").shake()
    foreign.open()

    foreign.events(1, [task("t1")])
    foreign.until(RecordType.ACK)

    with brain.db.reading() as conn:
        assert conn.execute(select(tasks.c.project_id)).scalars().all() == [OTHER]
        assert conn.execute(select(agents_table.c.project_id)).scalars().all() == [OTHER]
