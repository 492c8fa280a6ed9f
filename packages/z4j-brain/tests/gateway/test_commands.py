"""What becomes of commands: answers, deadlines, halves, bulks."""

from __future__ import annotations

import os
from typing import Any

import pytest
from sqlalchemy import insert, select
from z4j_brain.commands import outbox
from z4j_brain.commands.model import bulk_items, bulks, commands
from z4j_brain.commands.results import Answer, apply_results
from z4j_brain.commands.seal import NewCommand, add_command, is_sealed
from z4j_brain.db import Database
from z4j_brain.db.rootkeys import RootKeys
from z4j_core.wire import RecordType

ROOTS = RootKeys(b"a root secret of exactly 32 byte")
PROJECT = "0" * 31 + "1"
BULK, CMD = "b" * 32, "c" * 32
NOW = 1_700_000_000_000_000
MINUTE = 60_000_000


def add(db: Database, **more: Any) -> None:
    new = {
        "cmd_id": CMD, "project_id": PROJECT, "engine": "celery", "app": "app", "verb": "retry",
        "scope": 1, "targets": ["t1", "t2"], "deadline_us": NOW + MINUTE, "created_us": NOW,
        "actor": ["u1", "Ann", "ui"], "bulk_id": BULK, "chunk": 0, "chunks": 1,
    } | more  # fmt: skip
    with db.writing() as conn:
        add_command(conn, ROOTS, NewCommand(**new))
        if new["bulk_id"]:
            row = {"id": BULK, "project_id": PROJECT, "action": "retry", "state": "running"}
            conn.execute(insert(bulks), [row | {"created": NOW, "total": 2}])
            items = [
                {
                    "bulk_id": BULK, "idx": n, "engine": "celery", "app": "app", "pos": n,
                    "task_id": f"t{n + 1}", "state": "sealed", "cmd_id": CMD,
                }
                for n in range(2)
            ]  # fmt: skip
            conn.execute(insert(bulk_items), items)


def answer(db: Database, state: int, *targets: Any, stream: str = "s1", **more: Any) -> None:
    with db.writing() as conn:
        one = Answer(CMD, stream, NOW, state, targets=tuple(targets), **more)
        apply_results(conn, PROJECT, [one], NOW + 5)


def seen(db: Database) -> tuple[str, list[tuple[str, str | None]], str | None]:
    with db.reading() as conn:
        state = conn.execute(select(commands.c.state)).scalar_one()
        items = conn.execute(
            select(bulk_items.c.state, bulk_items.c.code).order_by(bulk_items.c.idx)
        )
        return (
            state,
            [(row[0], row[1]) for row in items],
            conn.execute(select(bulks.c.state)).scalar(),
        )


def test_each_target_gets_its_own_answer_and_the_bulk_ends(db: Database) -> None:
    add(db)

    answer(db, 3, (0, 0, "t1b", None), (1, 6, None, "gone"))

    assert seen(db) == ("partial", [("done", None), ("skipped", "replay.missing")], "done")
    with db.reading() as conn:
        assert conn.execute(select(bulks.c.counts)).scalar() == {"done": 1, "skipped": 1}
        assert conn.execute(select(bulk_items.c.new_id)).scalars().first() == "t1b"


def test_a_refused_command_refuses_its_items(db: Database) -> None:
    add(db)

    answer(db, 4, code="policy.level", rule="observe")

    assert seen(db) == ("refused", [("refused", "policy.level")] * 2, "done")


def test_c4_an_answer_repeated_changes_nothing(db: Database) -> None:
    add(db)
    answer(db, 2, (0, 0, None, None), (1, 0, None, None))

    answer(db, 5, code="engine.error")

    assert seen(db)[0] == "done"


def test_a_late_answer_corrects_no_answer(db: Database) -> None:
    add(db)
    with db.writing() as conn:
        outbox.claim(conn, CMD, ["s1"], NOW)
        outbox.overdue(conn, NOW + 2 * MINUTE)
    assert seen(db) == ("no_answer", [("indeterminate", "engine.indeterminate")] * 2, "done")

    answer(db, 2, (0, 0, None, None), (1, 0, None, None))

    assert seen(db)[:2] == ("done", [("done", None)] * 2)


def test_c3_c10_what_was_never_sent_expires_at_its_deadline(db: Database) -> None:
    add(db)

    with db.writing() as conn:
        ended = outbox.overdue(conn, NOW + MINUTE)

    assert ended == [(PROJECT, CMD)]
    assert seen(db)[:2] == ("expired", [("expired", "agent.none")] * 2)


def test_two_brains_claim_a_command_once(db: Database) -> None:
    add(db)

    with db.writing() as conn:
        claims = [outbox.claim(conn, CMD, [stream], NOW) for stream in ("s1", "s2")]

    assert claims == [True, False]


@pytest.mark.parametrize(
    ("change", "value"),
    [("targets", ["t9"]), ("verb", "purge"), ("params", {"x": 1}), ("project_id", "2" * 32)],
)
def test_c2_every_part_an_agent_acts_on_is_sealed(db: Database, change: str, value: Any) -> None:
    add(db)

    with db.writing() as conn:
        row = dict(conn.execute(select(commands)).mappings().one())
        untouched = is_sealed(ROOTS, row)
        conn.execute(commands.update().values({change: value}))
        row = dict(conn.execute(select(commands)).mappings().one())

    assert untouched
    assert not is_sealed(ROOTS, row)


def test_processes_answer_until_one_settles_every_target(db: Database) -> None:
    add(db, scope=2)
    with db.writing() as conn:
        outbox.claim(conn, CMD, ["s1", "s2", "s3"], NOW)

    answer(db, 2, (0, 1, None, None), (1, 0, None, None), stream="s1")
    between = seen(db)[0]
    answer(db, 2, (0, 0, None, "asked"), (1, 1, None, None), stream="s2")

    assert between == "accepted"
    assert seen(db)[:2] == ("done", [("done", None)] * 2)


def test_not_here_everywhere_says_that_it_no_longer_runs(db: Database) -> None:
    add(db, scope=2)
    with db.writing() as conn:
        outbox.claim(conn, CMD, ["s1", "s2"], NOW)

    for stream in ("s1", "s2"):
        answer(db, 2, (0, 1, None, None), (1, 1, None, None), stream=stream)

    assert seen(db)[1] == [("skipped", "task.not_here")] * 2


def test_only_one_agent_speaks_to_the_broker_of_a_two_fold_verb(brain: Any, agents: Any) -> None:
    one, two = agents().shake(), agents().shake()
    now = one.register().clock
    with brain.db.writing() as conn:
        new = NewCommand(
            cmd_id=os.urandom(16).hex(), project_id=PROJECT, engine="celery", app="app",
            verb="cancel", scope=3, targets=["t1"], deadline_us=now + MINUTE, created_us=now,
            actor=["u1", "Ann", "ui"],
        )  # fmt: skip
        add_command(conn, brain.roots, new)
    brain.wake()

    scopes = [agent.until(RecordType.COMMAND).params["scope"] for agent in (one, two)]

    assert sorted(scopes) == [2, 3]
