"""A command is done at most once, and only before the end its sender set."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace

from z4j_core.agent.commands import Command, Commands
from z4j_core.agent.journal import Entry, Journal
from z4j_core.agent.session import Session
from z4j_core.wire import bodies
from z4j_testing.clock import FakeClock

ID = b"i" * 16


def test_a_command_with_an_adopted_intent_is_answered_again_and_never_run(tmp_path):
    answers = []
    journal = Journal(tmp_path / "journal")
    commands = Commands(list, None, journal, None, FakeClock(), answers.append)

    commands.end_interrupted(OrderedDict({ID: Entry(1, 1, begun={0})}))
    commands.submit(Command(ID, "cancel", "toy", "app", ("t1",)))

    commands.stop()
    journal.close()
    assert len(answers) == 2
    assert answers[0] == answers[1]


def test_a_command_that_is_sent_again_has_the_deadline_it_had():
    clock, taken = FakeClock(), []
    session = SimpleNamespace(
        _boot_at_welcome=clock.boottime(),
        _clock=clock,
        _agent=SimpleNamespace(commands=SimpleNamespace(submit=taken.append)),
        _sender=SimpleNamespace(hurry=lambda: None),
    )
    order = bodies.Command(
        ID, "cancel", "toy", "app", ("t1",), {}, 5_000, bodies.Actor("u", "U", "w"), ""
    )

    for _ in range(2):
        Session._ordered(session, order)
        clock.advance(3.0)

    assert taken[0].deadline == taken[1].deadline
