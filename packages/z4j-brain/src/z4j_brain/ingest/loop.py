"""Batches of all connections, one transaction at a time. The rule: answered only after commit.

While one transaction runs the next batches gather; then all of them go together.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable

from sqlalchemy import Connection

from ..db import DRIVER_ERRORS, Database, is_trouble
from .apply import Outcome, apply
from .batch import Batch
from .commit import CommitInfo, OnCommit, ProjectChange, nobody
from .isolate import cleaned, given_up, pieces
from .postgresql import PostgresWriter
from .sqlite import SqliteWriter
from .writer import Writer

_log = logging.getLogger("z4j.ingest")
MAX_ITEMS = 4_000
UNAVAILABLE = 4500
FAILURES = (*DRIVER_ERRORS, ArithmeticError, LookupError, TypeError, ValueError)
"""What data can do to a transaction; none of it may stop the loop."""

Waiting = tuple[Batch, "asyncio.Future[Outcome]"]


def calm_collector() -> None:
    """Let the garbage collector run rarely: folding makes many short-lived lists, no cycles.

    Process-wide; worth a tenth of the cost of a fact.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class Ingest:
    """Takes batches, answers each with its outcome after the commit that holds it."""

    def __init__(
        self, db: Database, wall_us: Callable[[], int], on_commit: OnCommit = nobody
    ) -> None:
        self._db = db
        self._wall_us = wall_us
        self._on_commit = on_commit
        self._writer: Writer = SqliteWriter() if db.is_sqlite else PostgresWriter()
        self._waiting: list[Waiting] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.position = 0
        self.backlog = 0

    def start(self) -> None:
        """Start the loop in the running event loop."""
        calm_collector()
        self._task = asyncio.create_task(self._run(), name="z4j ingest")

    async def stop(self) -> None:
        """Finish what waits, then stop."""
        while self._waiting and self._task and not self._task.done():
            await asyncio.wait([future for _, future in self._waiting])
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def submit(self, batch: Batch) -> asyncio.Future[Outcome]:
        """Queue a batch; the future ends after its commit, with its watermark or close code."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, future))
        self.backlog += len(batch.items)
        self._arrived.set()
        return future

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            taken = self._take()
            await self._commit(taken)

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        items = 0
        while self._waiting and items < MAX_ITEMS:
            taken.append(self._waiting.pop(0))
            items += len(taken[-1][0].items)
        self.backlog -= items
        if not self._waiting:
            self._arrived.clear()
        return taken

    async def _commit(self, taken: list[Waiting]) -> None:
        now_us = self._wall_us()
        batches = [batch for batch, _ in taken]
        try:
            outcomes, changes = await self._db.write(self._apply, batches, now_us)
        except FAILURES as error:
            await self._one_by_one(taken, error)
            return
        for (_, future), outcome in zip(taken, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)
        self._publish(changes, now_us)

    async def _one_by_one(self, taken: list[Waiting], error: BaseException) -> None:
        if is_trouble(error) or await self._is_down():
            self._answer(taken, Outcome(0, UNAVAILABLE))
        elif len(taken) > 1:
            for one in taken:
                await self._commit([one])
        else:
            _log.warning("a batch is stored item by item: %s", error)
            self._answer(taken, await self._isolated(taken[0][0]))

    async def _isolated(self, batch: Batch) -> Outcome:
        outcome = Outcome(0)
        for piece in pieces(batch):
            outcome = await self._first_that_works(piece)
            if outcome.code:
                break
        return outcome

    async def _first_that_works(self, piece: Batch) -> Outcome:
        poison = given_up(piece, ValueError("the database refuses it"))
        for way in (piece, cleaned(piece), poison):
            now_us = self._wall_us()
            try:
                outcomes, changes = await self._db.write(self._apply, [way], now_us)
            except FAILURES as error:
                if is_trouble(error):
                    break  # not the item's fault: it is neither cleaned nor given up
                if way is poison:
                    _log.exception("an item can be neither stored nor given up")
            else:
                self._publish(changes, now_us)
                return outcomes[0]
        return Outcome(0, UNAVAILABLE)

    async def _is_down(self) -> bool:
        try:
            await self._db.read(_answers)
        except FAILURES:
            return True
        return False

    def _answer(self, taken: list[Waiting], outcome: Outcome) -> None:
        for _, future in taken:
            if not future.done():
                future.set_result(outcome)

    def _apply(
        self, conn: Connection, batches: list[Batch], now_us: int
    ) -> tuple[list[Outcome], tuple[ProjectChange, ...]]:
        return apply(conn, self._writer, batches, now_us)

    def _publish(self, changes: tuple[ProjectChange, ...], now_us: int) -> None:
        self._on_commit(CommitInfo(self.advance(), now_us, changes))

    def advance(self) -> int:
        """The next commit position; it only grows."""
        self.position += 1
        return self.position


def _answers(conn: Connection) -> None:
    conn.exec_driver_sql("SELECT 1")
