"""Who is here and how they are. The rule: a missing beat never fails a task.

Beats are gathered and written once a second for all agents together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from sqlalchemy import Connection as Database
from z4j_core.wire import PROBE, CloseCode
from z4j_core.wire.bodies import Beat

from ..agents import service
from ..commands.first import ask_first
from ..db import DRIVER_ERRORS, is_trouble
from ..ingest import inventory
from ..ingest.commit import CommitInfo, OnCommit, ProjectChange
from .connection import Connection
from .core import Core

_MS_PER_S = 1000
_BEATS = 3


class Presence:
    """Sessions in the database: registered, beating, gone."""

    def __init__(self, core: Core, on_commit: OnCommit) -> None:
        self._core = core
        self._on_commit = on_commit
        self._beats: dict[Connection, dict[str, Any]] = {}
        self._gone: dict[tuple[str, str], float] = {}
        self._ended: dict[str, tuple[str, int]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something to its end beside the session it belongs to."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def registered(self, connection: Connection) -> None:
        """Write the row of a new session; the older session of its stream ends.

        Raises:
            Superseded: the stream has a newer owner.
        """
        now_us = self._core.clock.wall_us()
        await self._core.db.write(self._register, connection, now_us)
        self._gone.pop((connection.who.project_id, connection.stream), None)
        older = self._core.registry.add(connection)
        if older is not None:
            self.spawn(older.close(CloseCode.SUPERSEDED, "a newer session of this stream"))
        self._say(connection.who.project_id, now_us)

    def _register(self, conn: Database, connection: Connection, now_us: int) -> None:
        who = connection.who
        service.claim_stream(conn, connection.stream, who.project_id, who.cred_id, connection.epoch)
        if PROBE in connection.register.features:
            service.note_use(conn, who.cred_id, who.kid, now_us)
        else:
            service.register_agent(conn, _row(connection, now_us), now_us)
            self._ask_first(conn, connection, now_us)

    def _ask_first(self, conn: Database, connection: Connection, now_us: int) -> None:
        """See that commands reach this project at all."""
        apps = [
            (app.engine, app.app, {verb.verb: verb.scope for verb in app.verbs})
            for app in connection.apps
        ]
        cmd_id = self._core.entropy(16).hex()
        ask_first(conn, self._core.roots, connection.who.project_id, apps, cmd_id, now_us)

    async def changed(self, connection: Connection) -> None:
        """Write what an agent said anew about itself."""
        now_us = self._core.clock.wall_us()
        await self._core.db.write(self._change, connection, now_us)
        self._say(connection.who.project_id, now_us)

    def _change(self, conn: Database, connection: Connection, now_us: int) -> None:
        row = _row(connection, now_us)
        for name in ("project_id", "stream", "session", "connected_at", "sessions"):
            row.pop(name)
        service.change_agent(conn, connection.who.session, row)
        self._ask_first(conn, connection, now_us)

    async def adopted(self, connection: Connection, stream: str, epoch: int) -> None:
        """Somebody opened `stream` under `epoch`: its older owner must stop."""
        owner = self._core.registry.of_stream(connection.who.project_id, stream)
        if owner is not None and owner is not connection and owner.epoch < epoch:
            self.spawn(owner.close(CloseCode.SUPERSEDED, "the stream was adopted"))

    def aged(self, connection: Connection, age_ms: int) -> None:
        """Remember how old the oldest fact of an agent is that is not here yet."""
        self._beats.setdefault(connection, {})["age_ms"] = min(age_ms, 0x7FFFFFFF)

    def beat(self, connection: Connection, beat: Beat) -> None:
        """Take one beat; written with the next flush."""
        self._beats.setdefault(connection, {}).update(
            last_beat=self._core.clock.wall_us(),
            age_ms=min(beat.age_ms, 0x7FFFFFFF),
            lag_ms=None if beat.lag_ms is None else min(beat.lag_ms, 0x7FFFFFFF),
            busy=beat.busy,
            slots=beat.slots,
            spool_bytes=beat.spool.bytes,
            spool_segments=beat.spool.segments,
            spool_lost=beat.spool.lost,
            spool_evicted=beat.spool.evicted,
            rss_kb=min(beat.rss_kb, 0x7FFFFFFF),
            cpu_ms=beat.cpu_ms,
        )

    async def ended(self, connection: Connection) -> None:
        """Write that a session is over; its workers are offline after three beats of silence."""
        self._core.registry.remove(connection)
        self._beats.pop(connection, None)
        who = connection.who
        if self._core.registry.of_stream(who.project_id, connection.stream) is None:
            self._gone[who.project_id, connection.stream] = self._core.clock.monotonic()
        now_us = self._core.clock.wall_us()
        try:
            await self._core.db.write(_end, [(who.session, now_us)])
        except DRIVER_ERRORS as error:
            if not is_trouble(error):
                raise
            self._ended[who.session] = (who.project_id, now_us)
        else:
            self._say(who.project_id, now_us)

    async def flush(self) -> None:
        """Write gathered beats, silences and ends in one transaction.

        When that fails, silences and ends are written next time; beats come again by themselves.
        """
        beats, self._beats = self._beats, {}
        ended = dict(self._ended)
        silence_s = _BEATS * self._core.heartbeat_ms / _MS_PER_S
        now = self._core.clock.monotonic()
        silent = {name: since for name, since in self._gone.items() if now - since > silence_s}
        if not (beats or silent or ended):
            return
        now_us = self._core.clock.wall_us()
        ends = [(session, at_us) for session, (_, at_us) in ended.items()]
        await self._core.db.write(_flush, list(beats.items()), list(silent), ends, now_us)
        for session in ended:
            del self._ended[session]
        for name in [name for name, since in silent.items() if self._gone.get(name) == since]:
            del self._gone[name]
        told = {one.who.project_id for one in beats} | {name[0] for name in silent}
        for project_id in told | {project_id for project_id, _ in ended.values()}:
            self._say(project_id, now_us)

    async def reap(self) -> None:
        """End sessions that are silent or whose key is not live any more."""
        now = self._core.clock.monotonic()
        connections = list(self._core.registry)
        for connection in connections:
            if connection.wire.deadline < now:
                self.spawn(connection.close(CloseCode.TIMEOUT, "silence"))
        keys = {(one.who.cred_id, one.who.kid) for one in connections}
        if not keys:
            return
        dead = await self._core.db.read(service.dead_keys, keys)
        for connection in connections:
            if (connection.who.cred_id, connection.who.kid) in dead:
                self.spawn(connection.close(CloseCode.REVOKED, "the key is retired or revoked"))

    def _say(self, project_id: str, now_us: int) -> None:
        change = ProjectChange(project_id, agents=True, workers=True)
        self._on_commit(CommitInfo(self._core.ingest.advance(), now_us, (change,)))


def _end(conn: Database, ended: list[tuple[str, int]]) -> None:
    for session, at_us in ended:
        service.change_agent(conn, session, {"connected": False, "disconnected_at": at_us})


def _flush(
    conn: Database,
    beats: list[tuple[Connection, dict[str, Any]]],
    silent: list[tuple[str, str]],
    ended: list[tuple[str, int]],
    now_us: int,
) -> None:
    _end(conn, ended)
    for connection, values in beats:
        service.change_agent(conn, connection.who.session, values)
        if "last_beat" in values:
            inventory.workers_heard(conn, connection.who.project_id, connection.stream, now_us)
    for project_id, stream in silent:
        inventory.worker_silence(conn, project_id, stream, "offline", now_us)


def _row(connection: Connection, now_us: int) -> dict[str, Any]:
    register, who = connection.register, connection.who
    return {
        "project_id": who.project_id,
        "stream": connection.stream,
        "session": who.session,
        "cred_id": who.cred_id,
        "kid": who.kid,
        "epoch": connection.epoch,
        "host": register.host,
        "os": register.os,
        "boot": register.boot,
        "pid": min(register.pid, 0x7FFFFFFF),
        "role": register.role,
        "agent_version": register.agent,
        "python_version": register.python,
        "framework": register.framework,
        "release": register.release,
        "environment": register.environment,
        "tags": dict(register.tags),
        "apps": [
            {
                "engine": app.engine,
                "app": app.app,
                "engine_version": app.engine_version,
                "adapter_version": app.adapter_version,
                "verbs": {verb.verb: verb.scope for verb in app.verbs},
                "sources": list(app.sources),
                "unavailable": dict(app.unavailable or {}),
            }
            for app in connection.apps
        ],
        "policy": register.policy.text,
        "policy_digest": register.policy.digest.hex(),
        "storage": register.storage,
        "transport": connection.transport,
        "groups": [list(group) for group in register.groups],
        "connected": True,
        "connected_at": now_us,
        "disconnected_at": None,
        "last_beat": now_us,
        "clock_skew": register.clock - now_us,
        "sessions": 1,
    }
