"""Agents that poll, in front of several brains. The rule: who is not kept together says so."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from z4j_brain.agents import pages
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.gateway import open_gateway
from z4j_brain.tasks.model import tasks
from z4j_core import EventKind, TaskEvent
from z4j_core.agent.boot import Handle
from z4j_core.config import load
from z4j_core.wire import RecordType
from z4j_testing.signals import eventually
from z4j_testing.stripping import StrippingProxy

from .asked import BEAT, CLOCK, Asked, post
from .conftest import PROJECT, SECRET, Brain, serve, settings

WAIT_S = 30.0


@pytest.fixture
def other(brain: Any, tmp_path: Any) -> Iterator[Brain]:
    """A second brain on the database of the first."""
    gateway = open_gateway(brain.db, settings(tmp_path), CLOCK, os.urandom)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        made = Brain(brain.db, RootKeys(SECRET), gateway, listener.getsockname()[1])
        server, thread = serve(made, listener)
        yield made
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def told(caplog: Any) -> Any:
    caplog.set_level(logging.INFO, "z4j")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "z4j"]


@pytest.fixture
def agent(tmp_path: Any, brain: Any) -> Iterator[Any]:
    """Start the real agent for the brains behind a port; it cannot use a WebSocket there."""
    handles: list[Handle] = []

    def begin(port: int) -> Any:
        key = brain.key()
        dsn = f"http://{key.key_id}:{key.secret}@127.0.0.1:{port}/shop"
        given = {"dsn": dsn, "spool_dir": str(tmp_path / "spool"), "engines": ["none"]}
        handles.append(Handle(load(given | {"transport": "poll"}, environ={}, cwd=tmp_path)))
        handles[-1].start()
        engine = Toy()
        handles[-1].attach(engine)
        return engine

    yield begin
    for handle in handles:
        handle.close()


class Toy:
    """States facts."""

    name, app, unavailable = "toy", "toyapp", {}

    def attach(self, emit: Any) -> None:
        self.emit = emit

    def detach(self) -> None:
        pass

    def discover(self) -> list[Any]:
        return []

    def enqueue(self, job: Any) -> str:
        raise NotImplementedError


def ports(*brains: Brain) -> list[tuple[str, int]]:
    return [("127.0.0.1", each.port) for each in brains]


@pytest.mark.parametrize("door", ["up", "down"])
def test_a_request_at_another_brain_is_told_so_and_changes_nothing(
    brain: Any, other: Any, agents: Any, door: str
) -> None:
    mine = Asked(brain, agents(transport="poll")).shake()
    record = mine.wire.send(RecordType.BEAT, BEAT)

    status, body, _ = post(other, door, record, mine.handle)

    assert (status, body) == (421, b"")
    assert mine.up(record) == 200
    assert mine.until(RecordType.PONG).n == 1


def test_a_session_this_brain_began_and_ended_is_gone_and_no_other_brains(
    brain: Any, agents: Any
) -> None:
    mine = Asked(brain, agents(transport="poll")).shake()
    unknown = mine.handle[:8] + os.urandom(12).hex()

    assert post(brain, "up", b"", unknown)[0] == 410


def test_a_session_that_a_cookie_keeps_together_goes_on_at_one_of_several_brains(
    brain: Any, other: Any, agent: Any, told: Any
) -> None:
    with StrippingProxy(*ports(brain, other), cookie="lb") as proxy:
        engine = agent(proxy.port)
        for number in range(20):
            engine.emit(TaskEvent(EventKind.STARTED, f"t{number}"))

        eventually(lambda: len(stored(brain)) == 20, "20 tasks", WAIT_S)

    assert not any("Z4J-E116" in line for line in told())


def test_an_agent_that_is_sent_to_another_brain_each_time_says_so_once(
    brain: Any, other: Any, agent: Any, told: Any
) -> None:
    with StrippingProxy(*ports(brain, other)) as proxy:
        agent(proxy.port).emit(TaskEvent(EventKind.STARTED, "t"))
        eventually(lambda: len(proxy.seen) > 8, "it to go on trying", WAIT_S)

    (line,) = [line for line in told() if "Z4J-E116" in line]
    assert "another brain" in line


def stored(brain: Any) -> list[str]:
    with brain.db.reading() as conn:
        return list(conn.execute(select(tasks.c.task_id)).scalars())


@pytest.mark.parametrize("transport", ["websocket", "poll"])
def test_an_agent_is_shown_with_the_way_it_came(brain: Any, agents: Any, transport: str) -> None:
    agents(transport=transport).shake()

    with brain.db.reading() as conn:
        (shown,) = pages.listed(conn, PROJECT, CLOCK.wall_us())
    assert shown["transport"] == transport
