"""Sets of schedules that agents report. The rule: stored as they come, applied one at a time.

It looks when an agent reports another set, when one comes or goes, and now and then to be safe: the
last agent of an old deployment may have been another brain's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy.exc import SQLAlchemyError
from z4j_core.wire.bodies import Inventory

from ..agents import service as agents
from ..db import is_trouble
from ..errors import Problem
from ..schedules import deploys
from ..schedules.deploys import Name
from .connection import Connection
from .core import Core

DECLARED = 5
"""Kind of SNAPSHOT: its app is the tag of a set, a row is a name and a document as JSON."""
EVERY_S = 10.0
_Row = tuple[Annotated[str, Meta(max_length=200)], Annotated[str, Meta(max_length=131_072)]]
_ROWS = msgspec.msgpack.Decoder(list[_Row])
Said = Callable[[Iterable[str]], None]


class Deploys:
    """Keeps schedules as the apps declare them; `said` hears of projects that were changed."""

    def __init__(self, core: Core, said: Said) -> None:
        self._core = core
        self._said = said
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look now; call it in the event loop."""
        self._wake.set()

    async def reported(self, connection: Connection, entries: Iterable[Inventory]) -> None:
        """Hear by a beat which sets an agent has."""
        found = sorted((entry.app, entry.hash.hex()) for entry in entries if entry.kind == DECLARED)
        if found == connection.declared:
            return
        connection.declared = found
        values = {"declared": [list(pair) for pair in found]}
        await self._core.db.write(agents.change_agent, connection.who.session, values)
        self.wake()

    async def body(
        self, connection: Connection, tag: str, digest: bytes, parts: list[bytes]
    ) -> None:
        """Take a set nobody reported before; what cannot be one is told, and not asked for again.

        Raises:
            msgspec.MsgspecError: it is none.
        """
        rows = [row for part in parts for row in _ROWS.decode(part)]
        documents = deploys.readable(tag, rows)
        if documents is None:
            self._core.log.warning("%s reports no set of schedules", connection.stream[:8])
            return
        name, now_us = Name(connection.who.project_id, tag), self._core.clock.wall_us()
        await self._core.db.write(deploys.keep, name, digest.hex(), documents, now_us)
        self.wake()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), EVERY_S)
            self._wake.clear()
            try:
                await self.once()
            except SQLAlchemyError as error:
                if not is_trouble(error):
                    self._core.log.exception("declared schedules cannot be read")

    async def once(self) -> None:
        """Apply what is to be applied by now."""
        projects, now_us = self._core.registry.projects(), self._core.clock.wall_us()
        if not projects:
            return
        for name, digest in await self._core.db.read(deploys.open_tags, projects, now_us):
            if await self._applied(name, digest):
                self._said([name.project_id])

    async def _applied(self, name: Name, digest: str) -> bool:
        core, now_us = self._core, self._core.clock.wall_us()
        try:
            return await core.db.write(deploys.apply, name, digest, now_us, core.entropy)
        except Problem as error:
            fault = f"{error.extra.get('pointer') or '/'}: {error.code} {error.detail}"[:500]
            if await core.db.write(deploys.refuse, name, digest, fault, now_us):
                core.log.warning(
                    "schedules declared by app %s are not applied: %s", name.tag, fault
                )
            return False
