"""Agents of other versions at a real brain. The rule: served as far as both know what is said."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from z4j_brain.agents.model import agents as agents_table
from z4j_brain.agents.model import quarantine, streams
from z4j_brain.tasks.model import attempts, tasks
from z4j_core.clock import SystemClock
from z4j_core.wire import RecordType, decode_events
from z4j_core.wire.items import Task
from z4j_testing.signals import eventually
from z4j_testing.spoken import Word, another_tag, critical, grown, of, sealed, spoken

from .test_attacks import closing_code

CLOCK = SystemClock()
RELEASED = sorted(Path(__file__).parents[4].glob("spec/spoken/*.json"))
LEAST = {"REGISTER", "OPEN", "EVENTS", "BEAT", "SNAPSHOT", "WANT", "UPDATE", "LEASE", "CLOSE"}
LASTS = (RecordType.CLOSE, RecordType.DONE)


def said(file: Path) -> list[Word]:
    """What the agent of a version said, REGISTER first, to where it took its leave."""
    words = list(of(spoken(file), "agent"))
    assert {RecordType(word.type).name for word in words} >= LEAST
    return list(takewhile(lambda word: word.type not in LASTS, words))


def facts(words: list[Word]) -> list[Any]:
    """The items of all batches."""
    batches = (decode_events(word.body) for word in words if word.type == RecordType.EVENTS)
    return [item for batch in batches for item in batch.items]


def shakes(agent: Any, words: list[Word]) -> None:
    """Register as that version did."""
    agent.met()
    agent.socket.send(sealed(agent.wire, words[0]))
    agent.wire.state = agent.wire._next("REGISTER")
    agent.until(RecordType.WELCOME)


def held(brain: Any) -> tuple[set[str], int, int]:
    """(tasks, attempts, facts that could not be read)."""
    with brain.db.reading() as conn:
        known = set(conn.execute(select(tasks.c.task_id)).scalars())
        tried = conn.execute(select(func.count()).select_from(attempts)).scalar_one()
        bad = conn.execute(select(func.count()).select_from(quarantine)).scalar_one()
    return known, tried, bad


@pytest.mark.parametrize("later", [False, True], ids=["as released", "a version later"])
@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
def test_w32_an_agent_of_another_version_is_served(
    brain: Any, agents: Any, file: Path, later: bool
) -> None:
    words, agent = said(file), agents()
    expected = {item.task_id for item in facts(words) if isinstance(item, Task)}
    sent = [one for word in words[1:] for one in (grown(word) if later else [word])]

    shakes(agent, [grown(words[0])[0] if later else words[0]])
    agent.send_all([sealed(agent.wire, word) for word in sent])
    beats = sum(word.type == RecordType.BEAT for word in sent)
    assert [agent.until(RecordType.PONG).n for _ in range(beats)][-1]

    eventually(lambda: held(brain)[0] >= expected, "the facts of the other version", 20)
    known, tried, bad = held(brain)
    assert (known, bad) == (expected, 0)
    assert tried
    with brain.db.reading() as conn:
        assert conn.execute(select(agents_table.c.host, agents_table.c.connected)).one()[1]


def test_w32_a_fact_of_a_kind_this_brain_does_not_know_is_counted_and_holds_nothing_up(
    brain: Any, agents: Any
) -> None:
    agent = agents().shake()
    agent.open()

    agent.events(1, [another_tag()] * 3)

    assert agent.until(RecordType.ACK).marks[0].upto == 3
    with brain.db.reading() as conn:
        found = conn.execute(select(streams.c.stored, streams.c.lost, streams.c.unknown)).one()
    assert tuple(found)[2] == 3
    assert held(brain)[2] == 0


def test_w32_an_agent_that_insists_on_what_this_brain_does_not_know_is_told_so(
    brain: Any, agents: Any, transport: str
) -> None:
    agent = agents().shake()

    agent.socket.send(sealed(agent.wire, *critical("agent")))

    assert closing_code(agent.socket.recv) == 4426
