"""Inventories of agents. The rule: a snapshot counts when all its pages are there, and whole."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct
from z4j_core.wire.bodies import Inventory, Want

from ..ingest import inventory, reports
from ..ingest.commit import CommitInfo, OnCommit, ProjectChange
from ..ingest.items import BAD, App
from ..ingest.rows import Meta as ProcessMeta
from .connection import Connection
from .core import Core
from .deploys import DECLARED, Deploys

TASKS, QUEUES, WORKERS = 1, 2, 3
_KINDS = frozenset({TASKS, QUEUES, WORKERS, DECLARED})
MAX_PAGES = 64
QUEUES_EVERY_S = 9.0
_REMEMBERED = 20_000


class _Page(Struct, array_like=True):
    kind: int
    engine: Annotated[str, Meta(max_length=32)]
    app: App
    hash: Annotated[bytes, Meta(min_length=8, max_length=8)]
    page: Annotated[int, Meta(ge=0, le=MAX_PAGES)]
    pages: Annotated[int, Meta(ge=1, le=MAX_PAGES)]
    rows: Raw


_PAGE = msgspec.msgpack.Decoder(_Page)

Key = tuple[str, ...]


@dataclass(slots=True)
class _Partial:
    hash: bytes
    pages: dict[int, bytes] = field(default_factory=dict)


class Snapshots:
    """Asks for what is not known, puts pages together, stores what is whole."""

    def __init__(self, core: Core, on_commit: OnCommit, deploys: Deploys) -> None:
        self._core = core
        self._deploys = deploys
        self._on_commit = on_commit
        self._known: OrderedDict[tuple[Key, bytes], None] = OrderedDict()
        self._queues_at: dict[Key, float] = {}

    def wanted(self, connection: Connection, entries: tuple[Inventory, ...]) -> tuple[Want, ...]:
        """Which of an agent's snapshots this brain does not have."""
        return tuple(
            Want(entry.kind, entry.engine, entry.app, 0)
            for entry in entries
            if entry.kind in _KINDS and self._is_wanted(connection, entry)
        )

    def _is_wanted(self, connection: Connection, entry: Inventory) -> bool:
        key = _key(connection, entry.kind, entry.engine, entry.app)
        if (key, entry.hash) in self._known:
            return False
        if entry.kind != QUEUES:
            return True
        now = self._core.clock.monotonic()
        if now - self._queues_at.get(key, -QUEUES_EVERY_S) < QUEUES_EVERY_S:
            return False
        self._queues_at[key] = now
        return True

    async def page(self, connection: Connection, raw: bytes) -> None:
        """Take one page; stores the snapshot when it is the last one missing."""
        try:
            page = _PAGE.decode(raw)
        except BAD:
            self._core.log.warning("a snapshot of %s cannot be read", connection.stream[:8])
            return
        key = _key(connection, page.kind, page.engine, page.app)
        partial = connection.partials.get(key)
        if partial is None or partial.hash != page.hash:
            partial = connection.partials[key] = _Partial(page.hash)
        partial.pages[page.page] = bytes(page.rows)
        if len(partial.pages) < page.pages:
            return
        del connection.partials[key]
        bodies = [partial.pages[index] for index in sorted(partial.pages)]
        if await self._kept(connection, page, bodies):
            self._known[key, page.hash] = None
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    async def _kept(self, connection: Connection, page: _Page, bodies: list[bytes]) -> bool:
        try:
            if page.kind == DECLARED:
                await self._deploys.body(connection, page.app, page.hash, bodies)
            else:
                await self._store(connection, page.kind, (page.engine, page.app), bodies)
        except BAD as error:
            self._core.log.warning("a snapshot of %s: %s", connection.stream[:8], error)
            return False
        return True

    async def _store(
        self, connection: Connection, kind: int, name: tuple[str, str], bodies: list[bytes]
    ) -> None:
        place = (connection.who.project_id, *name)
        now_us = self._core.clock.wall_us()
        if kind == TASKS:
            tasks = [row for body in bodies for row in reports.TASKS.decode(body)]
            await self._core.db.write(inventory.task_report, place, tasks, now_us)
        elif kind == QUEUES:
            queues = [row for body in bodies for row in reports.QUEUES.decode(body)]
            await self._core.db.write(inventory.queue_report, place, queues, now_us)
        elif kind == WORKERS:
            workers = [row for body in bodies for row in reports.WORKERS.decode(body)]
            register = connection.register
            meta = ProcessMeta(register.host, register.release, register.environment)
            source = (connection.stream, meta)
            await self._core.db.write(inventory.worker_report, place, source, workers, now_us)
        self._say(connection, kind, now_us)

    def _say(self, connection: Connection, kind: int, now_us: int) -> None:
        change = ProjectChange(
            connection.who.project_id, workers=kind == WORKERS, queues=kind == QUEUES
        )
        self._on_commit(CommitInfo(self._core.ingest.advance(), now_us, (change,)))


def _key(connection: Connection, kind: int, engine: str, app: str) -> Key:
    own = connection.stream if kind == WORKERS else ""
    return (connection.who.project_id, str(kind), engine, app, own)
