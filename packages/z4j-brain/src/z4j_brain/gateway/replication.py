"""Schedules go to those who may lead. The rule: an edit is pushed at once, a gap is filled whole.

A brain looks when it is woken, by its own edits and by those of others over PostgreSQL, and once a
second to be safe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from sqlalchemy import Connection as Database
from z4j_core.scheduler.snapshot import Snapshot, pages
from z4j_core.wire import RecordType
from z4j_core.wire.bodies import Newest, Want
from z4j_core.wire.replication import Schedules

from ..agents import service as agents
from ..ingest.commit import CommitInfo, OnCommit, ProjectChange
from ..schedules import copies, modes
from ..schedules import groups as grouping
from ..schedules.copies import Copy
from ..schedules.groups import Place
from .connection import SCHEDULER, Connection
from .core import Core
from .waking import whenever

SCHEDULES = 64
Stand = tuple[int, int]
Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Replication:
    """Keeps every candidate of a group at the group's newest revision."""

    def __init__(self, core: Core, on_commit: OnCommit, spawn: Spawn) -> None:
        self._core = core
        self._on_commit = on_commit
        self._spawn = spawn
        self._wake = asyncio.Event()
        self._copies: dict[Place, Copy] = {}
        self._seen: dict[Place, Stand] = {}
        self._lock = asyncio.Lock()

    def wake(self) -> None:
        """Look for edits now; call it in the event loop."""
        self._wake.set()

    async def run(self) -> None:
        """Serve until cancelled."""
        await whenever(self._wake, self.once, self._core.log, "schedules cannot be read")

    async def once(self) -> None:
        """Push what has changed since the last look."""
        projects = self._core.registry.projects()
        if not projects:
            return
        await self._finish_moves()
        found = await self._core.db.read(grouping.stands, projects)
        changed = [place for place, stand in found.items() if self._seen.get(place) != stand]
        central = await self._core.db.read(modes.central, projects) if changed else set()
        for place in changed:
            whom = self._candidates(place, found[place], is_central=place in central)
            await self._push(place, whom)
            self._seen[place] = found[place]
        self.say({place.project_id for place in changed})

    async def _finish_moves(self) -> None:
        """Let groups be fired by whom they were moved to, once nobody else does."""
        if await self._core.db.read(modes.any_moving):
            await self._core.db.write(modes.finish, self._core.clock.wall_us())

    async def newest(self, connection: Connection) -> tuple[Newest, ...]:
        """What an agent hears at WELCOME of the groups of its engines."""
        told = {(group.engine, group.app): (group.era, group.revision)
                for group in connection.register.groups}  # fmt: skip
        project_id = connection.who.project_id
        places = [Place(project_id, app.engine, app.app) for app in connection.apps]
        if connection.who.role == SCHEDULER:
            places = sorted(await self._core.db.read(modes.central, [project_id]))
        found = await self._core.db.read(grouping.known, places)
        for place in found:
            seen = told.get((place.engine, place.app), (0, 0))
            if seen > found[place]:
                found[place] = await self._core.db.write(grouping.outlive, place, seen)
        return tuple(Newest(p.engine, p.app, *stand) for p, stand in found.items())

    async def wanted(self, connection: Connection, wants: Iterable[Want]) -> None:
        """Send what an agent asks for."""
        apps = {(app.engine, app.app) for app in connection.apps}
        for want in wants:
            is_own = connection.who.role == SCHEDULER or (want.engine, want.app) in apps
            if want.kind != SCHEDULES or not is_own:
                continue
            place = Place(connection.who.project_id, want.engine, want.app)
            known = self._copies.get(place)
            era = known.era if known is not None else 0
            held = connection.held.get((want.engine, want.app), (era, 0))
            connection.held[want.engine, want.app] = (held[0], want.have)
            await self._push(place, [connection])

    def told(self, connection: Connection) -> None:
        """Hear how far an agent is by its own word; who became a candidate gets what it lacks."""
        for group in connection.register.groups:
            if group.candidate:
                name = (group.engine, group.app)
                connection.held[name] = max(
                    connection.held.get(name, (0, 0)), (group.era, group.revision)
                )

    def _candidates(self, place: Place, stand: Stand, *, is_central: bool) -> list[Connection]:
        return [
            connection
            for connection in self._core.registry.of_project(place.project_id)
            if _could_lead(connection, place, is_central=is_central)
            and self._held(connection, place) < stand
        ]

    def _held(self, connection: Connection, place: Place) -> Stand:
        name = (place.engine, place.app)
        told = next(
            ((g.era, g.revision) for g in connection.register.groups if (g.engine, g.app) == name),
            (0, 0),
        )
        return connection.held.get(name, told)

    async def _push(self, place: Place, whom: list[Connection]) -> None:
        if not whom:
            return
        async with self._lock:
            copy, whole = await self._core.db.read(self._sealed, place)
            self._copies[place] = copy
        if copy.revision:
            for connection in whom:
                since = copies.base(copy, whole, self._held(connection, place))
                connection.held[place.engine, place.app] = copy.stand
                self._spawn(self._send(connection, pages(whole, since)))

    async def _send(self, connection: Connection, parts: list[Schedules]) -> None:
        """Send the pages of one state, none of another in between; who is slow is in no way."""
        async with connection.paging:
            for page in parts:
                await connection.send(RecordType.SCHEDULES, page)

    def _sealed(self, conn: Database, place: Place) -> tuple[Copy, Snapshot]:
        copy = copies.newest(conn, place, self._copies.get(place))
        keys = agents.live_credentials(conn, self._core.roots, place.project_id)
        slug, revoked = agents.slug_and_revoked(conn, place.project_id)
        return copy, copies.sealed(copy, slug, place, keys, revoked)

    def say(self, projects: Iterable[str]) -> None:
        """Tell open pages that schedules of these projects have changed."""
        changes = tuple(ProjectChange(each, schedules=("*",)) for each in sorted(projects))
        if changes:
            now_us = self._core.clock.wall_us()
            self._on_commit(CommitInfo(self._core.ingest.advance(), now_us, changes))


def _could_lead(connection: Connection, place: Place, *, is_central: bool) -> bool:
    """Whether the schedules of a group are for this session: a scheduler's are all central ones."""
    if connection.who.role == SCHEDULER:
        return is_central
    return any(
        (group.engine, group.app) == (place.engine, place.app) and group.candidate
        for group in connection.register.groups
    )
