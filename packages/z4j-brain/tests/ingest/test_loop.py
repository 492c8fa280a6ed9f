"""The loop between connections and transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, event, func, select
from z4j_brain.agents.model import quarantine, streams
from z4j_brain.db import Database, open_database
from z4j_brain.ingest import CommitInfo
from z4j_brain.ingest.apply import Outcome
from z4j_brain.ingest.batch import Batch
from z4j_brain.ingest.items import decode_items
from z4j_brain.ingest.loop import UNAVAILABLE, Ingest
from z4j_brain.migrations import upgrade
from z4j_brain.tasks.model import tasks

T0 = 1_700_000_000_000_000
PROJECT = "0" * 31 + "1"


def task(task_id: str, name: str = "shop.charge", **more: Any) -> list[Any]:
    row: list[Any] = [1, 1, 2, T0, "celery", "app", task_id, 1, 1, name, *[None] * 34]
    for position, value in more.items():
        row[int(position[1:])] = value
    return row


def batch(items: list[Any], first: int = 1, stream: str = "a" * 32) -> Batch:
    body = msgspec.msgpack.encode(items)
    return Batch(PROJECT, stream, 0, "b" * 16, 1, first, decode_items(body), received_us=T0)


def run(db: Database, work: Callable[[Ingest], Awaitable[Any]]) -> tuple[Any, list[CommitInfo]]:
    heard: list[CommitInfo] = []

    async def main() -> Any:
        ingest = Ingest(db, lambda: T0, heard.append)
        ingest.start()
        try:
            return await asyncio.wait_for(work(ingest), 10)
        finally:
            await ingest.stop()

    return asyncio.run(main()), heard


def test_batches_of_all_connections_share_one_transaction(db: Database) -> None:
    async def work(ingest: Ingest) -> list[Outcome]:
        return await asyncio.gather(
            *(ingest.submit(batch([task(f"t{n}")], stream=f"{n:032x}")) for n in range(5))
        )

    outcomes, commits = run(db, work)

    assert outcomes == [Outcome(1)] * 5
    assert len(commits) == 1
    assert len(commits[0].projects[0].changed) == 5


def test_text_no_database_stores_costs_a_character_and_not_the_fact(db: Database) -> None:
    items = [task("t1"), task("t2", "shop\0charge", p42={"k\0": "v\0"}), task("t3")]

    (outcome,), _ = run(db, lambda ingest: asyncio.gather(ingest.submit(batch(items))))

    assert outcome == Outcome(3)
    with db.reading() as conn:
        names = conn.execute(select(tasks.c.name).order_by(tasks.c.task_id)).scalars().all()
        stored = conn.execute(select(streams.c.stored)).scalar()
    assert stored == 3
    assert names[0] == names[2] == "shop.charge"
    assert names[1] in {"shop\0charge", "shop\ufffdcharge"}


def test_a_refused_batch_does_not_hold_up_the_others(db: Database) -> None:
    async def work(ingest: Ingest) -> list[Outcome]:
        good = ingest.submit(batch([task("t1")], stream="c" * 32))
        bad = ingest.submit(batch([task("t2", "a\0b")], stream="d" * 32))
        gap = ingest.submit(batch([task("t3")], first=5, stream="e" * 32))
        return await asyncio.gather(good, bad, gap)

    outcomes, _ = run(db, work)

    assert [outcome.code for outcome in outcomes] == [0, 0, 4410]


def test_an_item_that_breaks_the_fold_is_given_up_and_counted(db: Database) -> None:
    good = batch([task("t1"), task("t2")])

    async def work(ingest: Ingest) -> Outcome:
        one = Batch(PROJECT, "a" * 32, 0, "b" * 16, 1, 1, [*good.items, beyond()])
        return await ingest.submit(one)

    outcome, _ = run(db, work)

    assert outcome == Outcome(3)
    with db.reading() as conn:
        counted = conn.execute(select(streams.c.stored, streams.c.lost)).one()
        kept = conn.execute(select(func.count()).select_from(quarantine)).scalar()
    assert (tuple(counted), kept) == ((2, 1), 1)


def beyond() -> Any:
    """A fact whose time is no number a database holds."""
    return msgspec.structs.replace(batch([task("t9")]).items[0], at=2**70)


class Disk:
    """How many pages a SQLite file may have; a real one that is full answers just so."""

    def __init__(self, engine: Engine) -> None:
        self.pages = 1 << 30
        event.listen(engine, "begin", self._limit)

    def _limit(self, conn: Connection) -> None:
        conn.exec_driver_sql(f"PRAGMA max_page_count = {self.pages}")

    def fill(self, db: Database) -> None:
        with db.reading() as conn:
            self.pages = int(conn.exec_driver_sql("PRAGMA page_count").scalar() or 0)


def test_on_a_full_disk_no_item_is_given_up(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'small.db'}")
    upgrade(db.engine)
    disk = Disk(db.engine)
    large = [task(f"t{n}", p22=[0, 2_000, "x" * 2_000]) for n in range(60)]

    async def work(ingest: Ingest) -> list[Outcome]:
        await ingest.submit(batch([task("first")], stream="c" * 32))
        disk.fill(db)
        refused = await ingest.submit(batch(large))
        disk.pages = 1 << 30
        return [refused, await ingest.submit(batch(large))]

    (refused, stored), _ = run(db, work)
    with db.reading() as conn:
        given_up = conn.execute(select(func.sum(streams.c.lost + streams.c.quarantined))).scalar()
    db.close()

    assert refused.code == UNAVAILABLE
    assert stored == Outcome(60)
    assert given_up == 0
