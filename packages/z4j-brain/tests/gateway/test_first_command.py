"""From a new key to the first acknowledged command: each step shows itself, or why it waits."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed
from z4j_brain.agents import pages
from z4j_core.wire import RecordType, encode_secret, pack, parse_key_id
from z4j_core.wire.keys import Secret
from z4j_testing.signals import eventually

PROJECT = "0" * 31 + "1"
DONE = 2


def steps(brain):
    with brain.db.reading() as conn:
        return {step["id"]: step for step in pages.steps(conn, PROJECT)}


def answer(agent, command):
    agent.open(2, 1, b"control1")
    agent.events(1, [pack((3, 1, command.cmd_id, DONE, "", "", {}, [], None, 0))], handle=2)
    agent.until(RecordType.ACK)


def test_the_first_agent_that_can_is_asked_once_and_the_step_turns_green(brain, agents):
    first = agents(verbs={"workers": 1, "retry": 1}).shake()

    asked = first.until(RecordType.COMMAND)
    answer(first, asked)
    second = agents(verbs={"workers": 1}).shake()
    second.open()

    assert (asked.verb, asked.targets, asked.actor.via) == ("workers", (), "brain")
    assert eventually(lambda: steps(brain)["command_ok"]["done"], "the step")
    with brain.db.reading() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM commands").scalar() == 1


def test_before_anything_each_step_says_what_it_waits_for(brain):
    found = steps(brain)

    assert [step["done"] for step in found.values()] == [False] * 5
    assert "is Z4J_DSN set" in found["key_used"]["detail"]


def test_an_agent_without_an_engine_is_connected_and_told_so(brain, agents):
    agents(verbs={}, apps=()).shake()

    found = steps(brain)

    assert found["agent_connected"]["done"]
    assert found["definitions"]["detail"].startswith("connected, no engine: is z4j.init()")


def test_a_wrong_secret_is_remembered_with_its_cause_and_told_to_the_project(brain, agents):
    key = brain.key()
    wrong = encode_secret(parse_key_id(key.key_id), Secret(b"x" * 32))
    agent = agents(type(key)(key.cred_id, key.kid, key.key_id, wrong))

    agent.socket.send(agent.wire.hello())
    with pytest.raises(Exception, match="did not prove"):
        agent.wire.receive_challenge(agent.recv())
    agent.socket.close(4401)

    def told():
        with brain.db.reading() as conn:
            return pages.refused(conn, PROJECT)

    (row,) = eventually(told, "a refused attempt")
    assert (row["key_id"], row["reason"], row["from"]) == (key.key_id, "wrong secret", "127.0.0.1")


def test_an_unknown_key_is_shown_only_to_who_may_see_all_projects(brain, agents):
    key = brain.key()
    with brain.db.writing() as conn:
        conn.exec_driver_sql("DELETE FROM agent_keys")
    agent = agents(key)
    agent.socket.send(agent.wire.hello())
    agent.recv()
    agent.socket.send(b"\0" * 100)
    with pytest.raises(ConnectionClosed):
        agent.recv()

    with brain.db.reading() as conn:
        assert pages.refused(conn, PROJECT) == []
        (row,) = pages.refused(conn, PROJECT, with_unknown=True)
    assert (row["key_id"], row["reason"]) == (key.key_id, "unknown key")
