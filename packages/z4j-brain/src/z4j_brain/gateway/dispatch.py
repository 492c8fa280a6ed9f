"""Ready commands go to agents. The rule: checked MAC, claimed row, then one COMMAND record.

A verb of the broker goes to one agent that offers it, a verb of a process to all that do.
Non-terminal commands go again on a new session of the same stream, with the same id.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection as Transaction
from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Abort, Actor, Bulk, Command

from ..commands import outbox, seal
from ..ingest.commit import CommitInfo, OnCommit, ProjectChange
from ..schedules import unplaced
from .connection import Connection
from .core import Core
from .waking import whenever

MAX_IN_FLIGHT = 64
MAX_BULK_IN_FLIGHT = 4
_BROKER, _PROCESS, _BOTH = 1, 2, 3
HALVED = frozenset({"cancel", "terminate", "pause", "resume"})
"""Verbs an engine may do in two halves: at the broker once, in every process that may hold it."""

Row = dict[str, Any]
Noted = Mapping[str, Iterable[str]]


class Dispatch:
    """Sends what is ready; woken by an event, and once a second to be safe."""

    def __init__(self, core: Core, on_commit: OnCommit) -> None:
        self._core = core
        self._on_commit = on_commit
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look for ready commands now; call it in the event loop."""
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        await whenever(self._wake, self.once, self._core.log, "commands cannot be read")

    async def once(self) -> None:
        """End what is overdue and send what is ready."""
        core, now_us = self._core, self._core.clock.wall_us()
        changed = await core.db.read(outbox.any_overdue, now_us)
        if changed:
            self._say(*await core.db.write(_overdue, now_us), now_us=now_us)
        projects = core.registry.projects()
        if not projects:
            return
        for row in await core.db.read(outbox.ready, projects, now_us):
            await self._send(row)

    async def resend(self, connection: Connection) -> None:
        """Send again what lay with this stream, or with a broker whose agent is gone."""
        core, now_us = self._core, self._core.clock.wall_us()
        for row in await core.db.read(outbox.on_the_way, connection.who.project_id, now_us):
            holders: set[str] = set(row["sent_to"] or ())
            if connection.stream in holders:
                await self._deliver(connection, row)
        self.wake()

    def settled(self, cmd_ids: Iterable[str]) -> None:
        """Commands whose state changed: they do not count as in flight any more."""
        gone = set(cmd_ids)
        for connection in self._core.registry:
            for cmd_id in gone & connection.in_flight.keys():
                del connection.in_flight[cmd_id]
        self.wake()

    async def abort(self, project_id: str, cmd_id: str, reason: str) -> None:
        """Stop a command: not sent any more, or ABORT to those who have it."""
        core, now_us = self._core, self._core.clock.wall_us()
        state = await core.db.write(outbox.abort, cmd_id, now_us)
        if state == "ready":
            self._say([(project_id, cmd_id)], now_us=now_us)
            return
        body = Abort(bytes.fromhex(cmd_id), reason[:200])
        for connection in core.registry.of_project(project_id):
            if cmd_id in connection.in_flight:
                await connection.send(RecordType.ABORT, body)

    async def _send(self, row: Row) -> None:
        core, now_us = self._core, self._core.clock.wall_us()
        if not seal.is_sealed(core.roots, row):
            core.log.error("command %s has no valid seal and is not sent", row["cmd_id"])
            detail = "this row was not written by the brain"
            await core.db.write(outbox.refuse, row["cmd_id"], "command.seal", detail, now_us)
            self._say([(row["project_id"], row["cmd_id"])], now_us=now_us)
            return
        chosen = self._choose(row)
        if not chosen:
            return
        streams = [connection.stream for connection in chosen]
        row["sent_to"] = streams
        if await core.db.write(outbox.claim, row["cmd_id"], streams, now_us):
            for connection in chosen:
                await self._deliver(connection, row)
            self._say([(row["project_id"], row["cmd_id"])], now_us=now_us)

    def _choose(self, row: Row) -> list[Connection]:
        able = [
            connection
            for connection in self._core.registry.of_project(row["project_id"])
            if _offered(connection, row) & row["scope"]
        ]
        if row["scope"] & _PROCESS:
            return sorted(able, key=lambda connection: -(_offered(connection, row) & _BROKER))
        free = [connection for connection in able if _has_room(connection, row)]
        return sorted(free, key=lambda connection: len(connection.in_flight))[:1]

    async def _deliver(self, connection: Connection, row: Row) -> None:
        connection.in_flight[row["cmd_id"]] = row["bulk_id"] is not None
        clock = self._core.clock
        since_welcome_ms = (clock.monotonic() - connection.welcomed_at) * 1000
        left_ms = max(0, row["deadline"] - clock.wall_us()) // 1000
        body = _command(row, int(since_welcome_ms) + left_ms)
        body = body._replace(params=body.params | _half(connection, row))
        await connection.send(RecordType.COMMAND, body)

    def _say(
        self, changed: Iterable[tuple[str, str]],
        schedules: Noted | None = None, *, now_us: int,
    ) -> None:  # fmt: skip
        told_of = schedules or {}
        by_project: dict[str, list[str]] = defaultdict(list)
        for project_id, cmd_id in changed:
            by_project[project_id].append(cmd_id)
        changes = tuple(
            ProjectChange(
                project_id, commands=tuple(cmd_ids), schedules=tuple(told_of.get(project_id, ()))
            )
            for project_id, cmd_ids in by_project.items()
        )
        if changes:
            self._on_commit(CommitInfo(self._core.ingest.advance(), now_us, changes))


def _overdue(conn: Transaction, now_us: int) -> tuple[list[tuple[str, str]], Noted]:
    """End what is past its deadline; (project, command) of each, and schedules by project."""
    ended = outbox.overdue(conn, now_us)
    return ended, unplaced.note(conn, [cmd_id for _, cmd_id in ended], now_us)


def _offered(connection: Connection, row: Row) -> int:
    return connection.scope_of(row["engine"], row["app"], row["verb"])


def _half(connection: Connection, row: Row) -> dict[str, int]:
    """The half of a two-fold verb this agent does: the first one also speaks to the broker."""
    if row["scope"] != _BOTH or row["verb"] not in HALVED:
        return {}
    is_first = row["sent_to"][:1] == [connection.stream]
    return {"scope": _BOTH if is_first else _PROCESS}


def _has_room(connection: Connection, row: Row) -> bool:
    if len(connection.in_flight) >= MAX_IN_FLIGHT:
        return False
    return row["bulk_id"] is None or sum(connection.in_flight.values()) < MAX_BULK_IN_FLIGHT


def _params(row: Row) -> Row:
    """Parameters as the wire has them: a digest is bytes there, and text in the database."""
    params = dict(row["params"])
    if "digest" in params:
        params["digest"] = bytes.fromhex(params["digest"])
    return params


def _command(row: Row, deadline_ms: int) -> Command:
    actor = [*row["actor"], "", "", ""]
    bulk = None
    if row["bulk_id"]:
        bulk = Bulk(bytes.fromhex(row["bulk_id"]), row["chunk"] or 0, row["chunks"] or 1)
    return Command(
        cmd_id=bytes.fromhex(row["cmd_id"]),
        verb=row["verb"],
        engine=row["engine"],
        app=row["app"],
        targets=tuple(row["targets"]),
        params=_params(row),
        deadline_ms=deadline_ms,
        actor=Actor(*actor[:3]),
        reason=(row["reason"] or "")[:512],
        flags=row["flags"],
        bulk=bulk,
    )
