"""Sessions of agents with a real server."""

from __future__ import annotations

import os
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select
from websockets.exceptions import ConnectionClosed, InvalidStatus
from z4j_brain.agents.model import agents as agents_table
from z4j_brain.agents.model import refused_attempts
from z4j_brain.commands.model import commands
from z4j_brain.commands.seal import NewCommand, add_command
from z4j_brain.tasks.model import task_defs, tasks
from z4j_brain.workers.model import workers
from z4j_core.clock import SystemClock
from z4j_core.errors import WireError
from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Beat, Inventory, Snapshot, SpoolState

CLOCK = SystemClock()
PROJECT = "0" * 31 + "1"
Brain = Any
encode = msgspec.msgpack.encode


def task(kind: int, state: int, task_id: str = "t1") -> bytes:
    return encode([1, kind, state, CLOCK.wall_us(), "celery", "app", task_id, 0, 1, "shop.charge"])


def command(brain: Brain, **more: Any) -> str:
    now = CLOCK.wall_us()
    new = {
        "cmd_id": os.urandom(16).hex(), "project_id": PROJECT, "engine": "celery", "app": "app",
        "verb": "cancel", "scope": 1, "targets": ["t1"], "deadline_us": now + 30_000_000,
        "created_us": now, "actor": ["u1", "Ann", "ui"], "reason": "test",
    } | more  # fmt: skip
    with brain.db.writing() as conn:
        add_command(conn, brain.roots, NewCommand(**new))
    brain.wake()
    return str(new["cmd_id"])


def state_of(brain: Brain, cmd_id: str) -> Any:
    with brain.db.reading() as conn:
        return conn.execute(select(commands).where(commands.c.cmd_id == cmd_id)).mappings().one()


def result(cmd_id: str, state: int, code: int) -> bytes:
    body = [3, CLOCK.wall_us(), bytes.fromhex(cmd_id), state, "ok", None, {}, [[0, code]]]
    return encode(body)


def test_facts_are_stored_before_they_are_acknowledged(brain: Brain, agents: Any) -> None:
    agent = agents().shake()
    assert agent.open() == 0

    agent.events(1, [task(1, 2), task(4, 3), task(6, 9)])
    mark = agent.until(RecordType.ACK).marks[0]

    assert (mark.handle, mark.upto) == (1, 3)
    with brain.db.reading() as conn:
        assert conn.execute(select(tasks.c.state)).scalar() == 9
        assert conn.execute(select(tasks.c.host)).scalar() == "h1"


def test_a_new_session_resumes_where_the_last_commit_ended(brain: Brain, agents: Any) -> None:
    key = brain.key()
    first = agents(key).shake()
    first.open()
    first.events(1, [task(1, 2), task(4, 3)])
    first.until(RecordType.ACK)
    first.close()

    second = agents(key, stream=first.stream).shake()

    assert second.open() == 2


def test_w6_a_gap_closes_the_session_with_4410(brain: Brain, agents: Any) -> None:
    agent = agents().shake()
    agent.open()

    agent.events(2, [task(1, 2)])

    assert agent.until(RecordType.CLOSE).code == 4410


def test_a_command_reaches_the_agent_and_its_result_ends_it(brain: Brain, agents: Any) -> None:
    agent = agents().shake()
    agent.open(2, klass=1)

    cmd_id = command(brain)
    sent = agent.until(RecordType.COMMAND)
    agent.events(1, [result(cmd_id, 2, 0)], handle=2)
    agent.until(RecordType.ACK)

    assert (sent.cmd_id.hex(), sent.verb, sent.targets) == (cmd_id, "cancel", ("t1",))
    row = state_of(brain, cmd_id)
    assert (row["state"], row["sent_to"]) == ("done", [agent.stream.hex()])


def test_c2_a_command_row_changed_in_the_database_is_never_sent(brain: Brain, agents: Any) -> None:
    agents().shake()
    now = CLOCK.wall_us()
    with brain.db.writing() as conn:
        new = NewCommand(
            cmd_id="ab" * 16, project_id=PROJECT, engine="celery", app="app", verb="cancel",
            scope=1, targets=["t1"], deadline_us=now + 30_000_000, created_us=now, actor=["u"],
        )  # fmt: skip
        add_command(conn, brain.roots, new)
        conn.execute(commands.update().values(targets=["everything"]))

    brain.wake()
    brain.wait_for(lambda info: any(change.commands for change in info.projects))

    assert state_of(brain, "ab" * 16)["state"] == "refused"


def test_a_command_without_result_goes_again_on_a_new_session(brain: Brain, agents: Any) -> None:
    key = brain.key()
    first = agents(key).shake()
    cmd_id = command(brain)
    first.until(RecordType.COMMAND)
    first.close()

    second = agents(key, stream=first.stream).shake()

    assert second.until(RecordType.COMMAND).cmd_id.hex() == cmd_id


def test_a_verb_of_a_process_goes_to_all_and_the_strongest_answer_wins(
    brain: Brain, agents: Any
) -> None:
    one, two = agents().shake(), agents().shake()
    for agent in (one, two):
        agent.open(2, klass=1)
    cmd_id = command(brain, scope=2)
    for agent in (one, two):
        agent.until(RecordType.COMMAND)

    one.events(1, [result(cmd_id, 2, 1)], handle=2)
    one.until(RecordType.ACK)
    between = state_of(brain, cmd_id)["state"]
    two.events(1, [result(cmd_id, 2, 0)], handle=2)
    two.until(RecordType.ACK)

    assert between == "accepted"
    row = state_of(brain, cmd_id)
    assert row["state"] == "done"
    assert row["result"]["targets"][0][1] == 0


def test_w16_an_unknown_key_meets_a_decoy_and_is_remembered(brain: Brain, agents: Any) -> None:
    key = brain.key()
    with brain.db.writing() as conn:
        conn.exec_driver_sql("DELETE FROM agent_keys")
    agent = agents(key)

    agent.socket.send(agent.wire.hello())
    with pytest.raises(WireError) as failure:
        agent.wire.receive_challenge(agent.recv())

    assert failure.value.kind == "Auth"
    with brain.db.reading() as conn:
        assert conn.execute(select(refused_attempts.c.reason)).scalar() == "unknown key"


def test_a_live_key_for_another_project_is_told_so(brain: Brain, agents: Any) -> None:
    agent = agents(project="other")

    agent.socket.send(agent.wire.hello())
    with pytest.raises(WireError, match="belongs to project 'shop'") as failure:
        agent.wire.receive_challenge(agent.recv())

    assert failure.value.close_code == 4404


def test_w27_the_newer_session_of_a_stream_stays(brain: Brain, agents: Any) -> None:
    key = brain.key()
    older = agents(key).shake()

    newer = agents(key, stream=older.stream).shake()

    assert older.until(RecordType.CLOSE).code == 4409
    assert newer.open() == 0


def test_w28_a_stream_of_another_credential_is_refused(brain: Brain, agents: Any) -> None:
    mine = agents().shake()
    thief = agents(stream=mine.stream)

    thief.met().socket.send(thief.wire.register(thief.register()))

    with pytest.raises(ConnectionClosed) as closed:
        all(iter(thief.recv, b""))
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4409


def test_w17_a_revoked_key_ends_its_sessions(brain: Brain, agents: Any) -> None:
    from z4j_brain.agents import service

    key = brain.key()
    agent = agents(key).shake()
    with brain.db.writing() as conn:
        service.revoke_key(conn, key.cred_id, CLOCK.wall_us())

    assert agent.until(RecordType.CLOSE).code == 4403


@pytest.mark.parametrize("transport", ["websocket"])
def test_w25_a_browser_is_not_an_agent(brain: Brain, agents: Any) -> None:
    with pytest.raises(InvalidStatus) as refused:
        agents(additional_headers={"Origin": "https://evil.example"})

    assert refused.value.response.status_code == 403


def test_snapshots_the_brain_does_not_know_are_wanted_and_stored(brain: Brain, agents: Any) -> None:
    agent = agents().shake()
    inventory = (
        Inventory(1, "celery", "app", b"hash-of1"),
        Inventory(3, "celery", "app", b"hash-of3"),
    )
    beat = Beat(1, 5, 0, SpoolState(0, 1, 0, 0), None, None, 1, 4, 10, 5, 100, inventory)

    agent.socket.send(agent.wire.send(RecordType.BEAT, beat))
    wanted = agent.until(RecordType.WANT)
    rows = [["shop.charge", "shop", "Charge a card.", [["order_id", 1, False, None, "int"]]]]
    worker = [["celery@h1", "prefork", 4, 1, ["t1"], [[12, 1000, "t1"]], ["mail"], 9, 5, {}, {}]]
    for kind, name, body in ((1, b"hash-of1", rows), (3, b"hash-of3", worker)):
        page = Snapshot(kind, "celery", "app", name, 0, 1, body)
        agent.socket.send(agent.wire.send(RecordType.SNAPSHOT, page))
    brain.wait_for(lambda info: any(c.workers and not c.agents for c in info.projects))

    assert {want.kind for want in wanted} == {1, 3}
    with brain.db.reading() as conn:
        assert conn.execute(select(task_defs.c.params)).scalar() == [
            ["order_id", 1, False, None, "int"]
        ]
        assert conn.execute(select(workers.c.running)).scalar() == ["t1"]


def test_an_agent_that_left_is_shown_as_gone(brain: Brain, agents: Any) -> None:
    agent = agents().shake()
    seen = brain.commits[-1].position

    agent.close()
    brain.wait_for(lambda info: info.position > seen and any(c.agents for c in info.projects), 25)

    with brain.db.reading() as conn:
        left = select(func.count()).where(agents_table.c.connected.is_(False))
        assert conn.execute(left).scalar() == 1
