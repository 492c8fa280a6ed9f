"""Fires that a standalone scheduler asks for. The rule: it names a slot, the rest is the brain's.

Its key can do nothing else: no arguments, no schedule of another group, no slot that is not due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection as Database
from z4j_core.errors import LeaseLost, StoreUnavailable
from z4j_core.scheduler.leases.calls import Answer, Status

from ..db import DRIVER_ERRORS
from ..ingest.fires import store_lines
from ..schedules import overseen, slots
from ..schedules.groups import Place
from ..schedules.told import Line
from .core import Core

REFUSED, NO_AGENT, INDETERMINATE = -5, -6, -7
WAIT_S = 8.0
LOOK_S = 0.05


class Central:
    """Sends the command of a slot and waits for its result."""

    def __init__(self, core: Core, wake: Callable[[], None], said: Callable[[str], object]) -> None:
        self._core = core
        self._wake = wake
        self._said = said

    async def fire(self, place: Place, args: Sequence[Any]) -> Answer:
        """Fire one slot: `args` is (owner, epoch, schedule, generation, slot) and nothing more."""
        core = self._core
        try:
            wish = slots.read_wish(place, args)
        except ValueError as error:
            return Answer(REFUSED, (str(error),))
        now_us = core.clock.wall_us()
        try:
            found = await core.db.write(slots.order, core.roots, wish, now_us)
        except StoreUnavailable as error:
            return Answer(Status.UNAVAILABLE, (str(error),))
        if isinstance(found, slots.No):
            status = NO_AGENT if found.code == "agent.none" else REFUSED
            return Answer(Status.HELD if found.code == "lease" else status, (found.why,))
        if found is None:
            return Answer(Status.OK, ())
        self._wake()
        return await self._result(found)

    async def tell(self, place: Place, args: Sequence[Any]) -> Answer:
        """Store what became of slots that no agent gets."""
        core = self._core
        try:
            owner, epoch, lines = overseen.read_lines(place, args)
            await core.db.write(_told, place, (owner, epoch), lines, core.clock.wall_us())
        except LeaseLost as error:
            return Answer(Status.HELD, (str(error),))
        except ValueError as error:
            return Answer(REFUSED, (str(error),))
        except DRIVER_ERRORS:
            return Answer(Status.UNAVAILABLE, ("the brain's database does not answer",))
        self._said(place.project_id)
        return Answer(Status.OK, ())

    async def _result(self, cmd_id: str) -> Answer:
        for _ in range(int(WAIT_S / LOOK_S)):
            await asyncio.sleep(LOOK_S)
            state, code = await self._core.db.read(_state, cmd_id)
            if state == "done":
                return Answer(Status.OK, ())
            if state in ("refused", "failed"):
                return Answer(REFUSED, (code,))
            if state == "expired":
                return Answer(NO_AGENT, (code,))
            if state in ("indeterminate", "no_answer"):
                break
        return Answer(INDETERMINATE, ("nobody knows whether it was placed",))


def _told(
    conn: Database, place: Place, right: tuple[str, int], lines: Sequence[Line], now_us: int
) -> None:
    overseen.owned(conn, place, *right, lines)
    store_lines(conn, place.project_id, lines, (), now_us)


def _state(conn: Database, cmd_id: str) -> tuple[str, str]:
    return slots.state_of(conn, cmd_id)
