"""Agents come and go while the database is away."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from websockets.exceptions import ConnectionClosed
from z4j_brain.agents.model import agents as table
from z4j_testing.signals import eventually

PROJECT = "0" * 31 + "1"


@pytest.fixture
def away(brain):
    """A database that takes nothing until this is called."""

    def gone():
        raise OperationalError("", {}, psycopg.OperationalError("gone"))

    patch = pytest.MonkeyPatch()
    yield lambda on: patch.setattr(brain.db, "writing", gone) if on else patch.undo()
    patch.undo()


def connected(brain):
    with brain.db.reading() as conn:
        return conn.execute(select(table.c.connected)).scalars().all()


def test_a_session_that_ends_meanwhile_is_known_to_be_over_afterwards(brain, agents, away):
    agent = agents().shake()
    assert connected(brain) == [True]

    away(True)
    agent.close()
    eventually(lambda: not brain.gateway.connected(PROJECT), "the session to end", 20)
    assert connected(brain) == [True]
    away(False)

    eventually(lambda: connected(brain) == [False], "its end to be stored", 20)


def test_an_agent_that_comes_meanwhile_is_sent_away_and_told_why(
    brain, agents, away, caplog, transport
):
    key = brain.key()
    away(True)
    with pytest.raises(ConnectionClosed) as closed:
        agents(key).shake()
    away(False)

    assert closed.value.rcvd.code == 4500
    if transport == "websocket":  # a request is answered with a status alone
        assert closed.value.rcvd.reason == "the brain cannot store anything now"
    assert [line for line in caplog.messages if "Z4J-E602" in line] == caplog.messages
    assert agents(key).shake()
