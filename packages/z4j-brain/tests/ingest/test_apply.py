"""Batches in one transaction, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import func, insert, select
from z4j_brain.agents.model import quarantine, stream_owners, streams
from z4j_brain.db import Database
from z4j_brain.ingest.apply import Outcome, apply
from z4j_brain.ingest.batch import Batch
from z4j_brain.ingest.items import decode_items
from z4j_brain.ingest.postgresql import PostgresWriter
from z4j_brain.ingest.sqlite import SqliteWriter
from z4j_brain.tasks.model import attempts, rollup_minute, tasks

PROJECT = "0" * 31 + "1"
STREAM, SEGMENT = "a" * 32, "b" * 16
T0 = 1_700_000_000_000_000
NOW = T0 + 10_000_000


def item(kind: int, state: int, task_id: str, at: int, attempt: int = 1, **more: Any) -> list[Any]:
    """A TASK item as an agent encodes it."""
    row: list[Any] = [
        1,
        kind,
        state,
        at,
        "celery",
        "app",
        task_id,
        0,
        attempt,
        "shop.charge",
        "mail",
    ]
    row += [None] * 33
    for position, value in more.items():
        row[int(position[1:])] = value
    while row[-1] is None:
        row.pop()
    return row


def life(task_id: str, at: int = T0) -> list[list[Any]]:
    """enqueued, started, succeeded."""
    return [
        item(1, 2, task_id, at, 0, p13=at, p22=[0, 7, "[1, 2]"]),
        item(4, 3, task_id, at + 1000, p11="celery@a", p13=at, p15=at + 1000),
        item(
            6, 9, task_id, at + 5000, p11="celery@a", p13=at, p15=at + 1000, p16=at + 5000, p17=4000
        ),
    ]


def batch(items: Sequence[Any], first: int = 1, epoch: int = 1, **more: Any) -> Batch:
    body = msgspec.msgpack.encode(list(items))
    return Batch(
        project_id=PROJECT,
        stream=more.get("stream", STREAM),
        cls=0,
        segment=more.get("segment", SEGMENT),
        epoch=epoch,
        first=first,
        items=decode_items(body),
    )


def store(db: Database, *batches: Batch) -> list[Outcome]:
    writer = SqliteWriter() if db.is_sqlite else PostgresWriter()
    with db.writing() as conn:
        return apply(conn, writer, batches, NOW)[0]


def row(db: Database, task_id: str) -> dict[str, Any]:
    with db.reading() as conn:
        found = conn.execute(select(tasks).where(tasks.c.task_id == task_id)).mappings().one()
        return dict(found)


def test_a_task_that_ran_in_one_batch_is_one_row_written_once(db: Database) -> None:
    outcome = store(db, batch(life("t1")))

    assert outcome == [Outcome(3)]
    shown = row(db, "t1")
    assert (shown["state"], shown["attempt"], shown["v"]) == (9, 1, 1)
    assert (shown["runtime_us"], shown["wait_us"]) == (4000, 1000)
    assert shown["args"] == "[1, 2]"


def test_a_batch_sent_twice_is_applied_once(db: Database) -> None:
    store(db, batch(life("t1")))

    again = store(db, batch(life("t1")))

    assert again == [Outcome(3)]
    with db.reading() as conn:
        assert conn.execute(select(func.sum(rollup_minute.c.succeeded))).scalar() == 1
        assert conn.execute(select(streams.c.stored)).scalar() == 3
    assert row(db, "t1")["v"] == 1


def test_facts_of_one_task_over_three_batches_fold_to_the_same_row(db: Database) -> None:
    for first, fact in enumerate(life("t1"), 1):
        store(db, batch([fact], first))
    store(db, batch(life("t2"), 4))

    one, other = row(db, "t1"), row(db, "t2")

    differing = {name for name in one if one[name] != other[name]}
    assert differing == {"ref", "task_id", "v"}


def test_a_gap_is_answered_and_changes_nothing(db: Database) -> None:
    outcome = store(db, batch(life("t1"), first=2))

    assert outcome == [Outcome(0, 4410)]
    with db.reading() as conn:
        assert conn.execute(select(func.count()).select_from(tasks)).scalar() == 0


def test_w27_a_batch_of_an_older_epoch_is_superseded(db: Database) -> None:
    with db.writing() as conn:
        conn.execute(
            insert(stream_owners),
            [{"stream": STREAM, "project_id": PROJECT, "cred_id": "c", "epoch": 2}],
        )

    outcome = store(db, batch(life("t1"), epoch=1))

    assert outcome[0].code == 4409


def test_w35_a_poison_item_costs_one_item_and_the_watermark_advances(db: Database) -> None:
    items = life("t1")
    items[1] = [1, "x"]

    outcome = store(db, batch(items))

    assert outcome == [Outcome(3)]
    with db.reading() as conn:
        counted = conn.execute(select(streams.c.stored, streams.c.lost)).one()
        assert conn.execute(select(quarantine.c.pos)).scalar() == 2
    assert tuple(counted) == (2, 1)
    assert row(db, "t1")["state"] == 9


def test_a_lost_span_counts_only_what_is_new(db: Database) -> None:
    store(db, batch(life("t1")))

    outcome = store(db, batch([[0, 1, 10, 10]], first=1))

    assert outcome == [Outcome(10)]
    with db.reading() as conn:
        stored, lost, mark = conn.execute(
            select(streams.c.stored, streams.c.lost, streams.c.watermark)
        ).one()
    assert stored + lost == mark == 10


def test_a_late_success_moves_the_count_of_a_lost_attempt(db: Database) -> None:
    store(db, batch([*life("t1")[:2], item(10, 4, "t1", T0 + 3000)]))

    store(db, batch([life("t1")[2]], 4))

    with db.reading() as conn:
        lost, succeeded, started = conn.execute(
            select(
                func.sum(rollup_minute.c.lost),
                func.sum(rollup_minute.c.succeeded),
                func.sum(rollup_minute.c.started),
            )
        ).one()
    assert (lost, succeeded, started) == (0, 1, 1)


def test_a_retry_keeps_both_attempts_and_the_first_error(db: Database) -> None:
    store(
        db,
        batch(
            [
                *life("t1")[:2],
                item(5, 5, "t1", T0 + 2000, p14=T0 + 9000, p25="ValueError", p26=[0, 3, "bad"]),
                item(4, 3, "t1", T0 + 9100, 2, p15=T0 + 9100),
                item(6, 9, "t1", T0 + 9900, 2, p15=T0 + 9100, p16=T0 + 9900),
            ]
        ),
    )

    shown = row(db, "t1")

    assert (shown["state"], shown["attempt"], shown["exc_type"]) == (9, 2, None)
    with db.reading() as conn:
        kept = conn.execute(
            select(attempts.c.attempt, attempts.c.state, attempts.c.exc_type).order_by(
                attempts.c.attempt
            )
        ).all()
    assert [tuple(part) for part in kept] == [(1, 5, "ValueError"), (2, 9, None)]


def test_a_retried_task_and_its_original_know_each_other(db: Database) -> None:
    store(db, batch(life("t1")))

    store(db, batch([item(1, 2, "t2", T0 + 9_000_000, 0, p31="t1")], 4))

    assert row(db, "t1")["retried_as"] == row(db, "t2")["ref"]
    assert row(db, "t2")["retry_of"] == "t1"


def test_text_is_found_by_any_three_letters(db: Database) -> None:
    store(db, batch([item(1, 2, "t1", T0, 0, p22=[0, 30, '["Gateway timeout on Mars"]'])]))

    from sqlalchemy import text

    condition = (
        "rid IN (SELECT rowid FROM tasks_fts WHERE search LIKE '%way tim%')"
        if db.is_sqlite
        else "search LIKE '%way tim%'"
    )
    with db.reading() as conn:
        found = conn.execute(text(f"SELECT task_id FROM tasks WHERE {condition}")).scalars().all()
    assert found == ["t1"]
