"""A worker that comes up is told what was cancelled and paused before, ahead of everything else."""

from __future__ import annotations

import os
from typing import Any

import pytest
from sqlalchemy import insert, update
from z4j_brain.commands.model import commands
from z4j_brain.commands.seal import NewCommand, add_command
from z4j_brain.tasks.model import ref_of, tasks
from z4j_core.clock import SystemClock
from z4j_core.model.tasks import TaskState
from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Beat, SpoolState

PROJECT = "0" * 31 + "1"
VERBS = {"cancel": 3, "pause": 1}
HOUR_US = 3_600_000_000
QUEUED, RUNNING, CANCELLED = TaskState.QUEUED, TaskState.RUNNING, TaskState.CANCELLED


def knows(brain: Any, task_id: str, state: TaskState) -> None:
    row = {
        "ref": ref_of(PROJECT, "celery", "app", task_id), "project_id": PROJECT, "at": 1,
        "engine": "celery", "app": "app", "task_id": task_id, "state": int(state),
    }  # fmt: skip
    with brain.db.writing() as conn:
        conn.execute(insert(tasks), [row])


def ordered(
    brain: Any, verb: str, *targets: str, state: str = "done", ago_us: int = 0, app: str = "app"
) -> str:
    now, cmd_id = SystemClock().wall_us() - ago_us, os.urandom(16).hex()
    new = NewCommand(
        cmd_id=cmd_id, project_id=PROJECT, engine="celery", app=app, verb=verb, scope=1,
        targets=list(targets), deadline_us=now + HOUR_US, created_us=now,
        actor=["u1", "Ann", "ui"], reason="because",
    )  # fmt: skip
    with brain.db.writing() as conn:
        add_command(conn, brain.roots, new)
        conn.execute(update(commands).where(commands.c.cmd_id == cmd_id).values(state=state))
    return cmd_id


def heard(agent: Any) -> list[Any]:
    """What the brain sends ahead of its answer to the first beat."""
    beat = Beat(
        n=1, mono=1, age_ms=0, spool=SpoolState(0, 0, 0, 0), lag_ms=None, lag_max_ms=None,
        busy=None, slots=None, done=None, cpu_ms=0, rss_kb=0, inventory=(),
    )  # fmt: skip
    agent.socket.send(agent.wire.send(RecordType.BEAT, beat))
    found = []
    while (received := agent.receive()).type != RecordType.PONG:
        if received.type == RecordType.COMMAND and received.body.actor.via != "brain":
            found.append(received.body)
    return found


@pytest.fixture
def comes_up(agents: Any) -> Any:
    return lambda **more: heard(agents(verbs=VERBS, **more).shake())


def test_a_cancel_of_a_task_that_still_waits_goes_again_under_an_id_of_its_own(brain, comes_up):
    for task_id, state in (("waits", QUEUED), ("runs", RUNNING), ("is-over", CANCELLED)):
        knows(brain, task_id, state)
    cmd_id = ordered(brain, "cancel", "waits", "runs", "is-over", "unknown")

    (order,) = comes_up()

    assert (order.verb, order.targets, order.params) == ("cancel", ("waits",), {"scope": 2})
    assert (order.actor.name, order.reason) == ("Ann", "because")
    assert order.cmd_id.hex() != cmd_id
    assert order.deadline_ms >= 60_000


@pytest.mark.parametrize(
    "change",
    [{"state": "refused"}, {"state": "expired"}, {"ago_us": 25 * HOUR_US}, {"app": "other"}],
)
def test_a_cancel_that_is_not_in_force_stays_where_it_is(brain, comes_up, change):
    knows(brain, "waits", QUEUED)
    ordered(brain, "cancel", "waits", **change)

    assert comes_up() == []


def test_a_cancel_that_was_written_by_sql_alone_is_not_said(brain, comes_up):
    knows(brain, "waits", QUEUED)
    cmd_id = ordered(brain, "cancel", "somebody-else")
    with brain.db.writing() as conn:
        mine = update(commands).where(commands.c.cmd_id == cmd_id)
        conn.execute(mine.values(targets=["waits"]))

    assert comes_up() == []


def test_of_a_queue_the_newest_word_holds(brain, comes_up):
    ordered(brain, "pause", "mail", "slow", ago_us=3)
    ordered(brain, "resume", "mail", ago_us=2)
    ordered(brain, "pause", "never", state="failed", ago_us=1)

    (order,) = comes_up()

    assert (order.verb, order.targets, order.params) == ("pause", ("slow",), {"again": True})


def test_a_process_that_runs_no_tasks_is_told_nothing(brain, comes_up):
    ordered(brain, "pause", "mail")

    assert comes_up(role="web") == []


def test_a_process_that_becomes_a_worker_is_told_then(brain, agents):
    ordered(brain, "pause", "mail")
    agent = agents(verbs=VERBS, role="web").shake()
    assert heard(agent) == []

    agent.socket.send(agent.wire.send(RecordType.UPDATE, {"role": "worker"}))

    (order,) = heard(agent)
    assert order.verb == "pause"
