"""The brain as a lease store. The rule: a session asks for its own engines, by the role of its key.

Each operation is one short transaction of the brain's database; what is wrong becomes a status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from z4j_core.errors import StoreUnavailable
from z4j_core.scheduler.leases.calls import Answer, Op, Status, serve
from z4j_core.wire import RecordType
from z4j_core.wire.replication import Lease, Leased

from ..db import DRIVER_ERRORS
from ..schedules import groups as grouping
from ..schedules import leases, modes
from ..schedules.groups import Place
from ..schedules.overseen import Overseen
from .central import REFUSED, Central
from .connection import SCHEDULER, Connection
from .core import Core

_OF_SCHEDULER = frozenset({*range(Op.ACQUIRE, Op.OPEN + 1), Op.RUNNING, Op.FIRE, Op.TELL})
MOST_AT_ONCE = 8


class Leasing:
    """Answers LEASE."""

    def __init__(self, core: Core, central: Central) -> None:
        self._core = core
        self._central = central
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def asked(self, connection: Connection, lease: Lease) -> None:
        """Do what is asked and answer."""
        status, values = await self._answer(connection, lease)
        await connection.send(RecordType.LEASED, Leased(lease.req, status, list(values)))
        if lease.op == Op.RELEASE and status == Status.OK:
            await self._wake(connection, lease)

    async def _answer(self, connection: Connection, lease: Lease) -> Answer:
        place = Place(connection.who.project_id, lease.engine, lease.app)
        if connection.who.role == SCHEDULER:
            if lease.op not in _OF_SCHEDULER:
                return Answer(REFUSED, ("this key may not do that",))
            if lease.op == Op.FIRE:
                return await self._central.fire(place, lease.args)
            if lease.op == Op.TELL:
                return await self._central.tell(place, lease.args)
        elif (lease.engine, lease.app) not in {(app.engine, app.app) for app in connection.apps}:
            return Answer(Status.UNAVAILABLE, ("no engine of this process",))
        async with self._turns:
            return await self._core.db.apart(
                partial(self._serve, connection, place, lease.op, lease.args)
            )

    def _serve(self, connection: Connection, place: Place, op: int, args: Sequence[Any]) -> Answer:
        is_central = connection.who.role == SCHEDULER
        if op == Op.ACQUIRE and (why := self._objection(place, is_central=is_central)):
            return Answer(Status.UNAVAILABLE, (why,))
        make = Overseen if is_central else leases.BrainsOwn
        answer = serve(make(self._core.db, place, self._core.clock.boottime), op, args)
        if op == Op.ACQUIRE and answer.status == Status.OK:
            with suppress(StoreUnavailable), self._core.db.writing() as conn:
                leases.led_by(
                    conn, place, connection.stream, answer.values[0], self._core.clock.wall_us()
                )
        return answer

    def _objection(self, place: Place, *, is_central: bool) -> str:
        """Why whoever asks may not lead this group, be it free or not; empty when it may."""
        try:
            with self._core.db.reading() as conn:
                row = grouping.row_of(conn, place)
        except DRIVER_ERRORS:
            return "the brain's database does not answer"
        if modes.is_moving(row):
            return "this group is being moved"
        if modes.is_led_centrally(row) != is_central:
            return "this group is fired by " + ("its agents" if is_central else "z4j-scheduler")
        return ""

    async def _wake(self, connection: Connection, lease: Lease) -> None:
        """Let those who stand by hear that a lease was released."""
        for other in self._core.registry.of_project(connection.who.project_id):
            names = {(group.engine, group.app) for group in other.register.groups}
            if other is not connection and (lease.engine, lease.app) in names:
                await other.send(RecordType.LEASED, Leased(0, Status.OK, []))
