"""From held bulks to commands. The rule: each target is looked at again just before it is sent.

Chunks of one engine and app hold at most 200 targets; at most 4 of a bulk are in flight, and a
broker gets at most 200 targets a second. What its author may no longer do is not sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from ..agents.offers import offers
from ..db import Database, is_trouble
from ..db.rootkeys import RootKeys
from . import outbox, store
from .actions import ACTIONS, Action
from .results import recount
from .seal import NewCommand, add_command
from .service import PREVIEW_TTL_US

_log = logging.getLogger("z4j.commands")
CHUNK = 200
IN_FLIGHT = 4
PER_SECOND = 200
TICK_S = 0.25
IDLE_S = 5.0
_BOTH = 3


WAIT = "wait"
Ordered = Callable[[Connection, Row[Any], Row[Any], int], "Mapping[str, Any] | str"]
"""The parameters of the command for one item of a bulk; WAIT, or the code of why there is none."""


def _nothing(_conn: Connection, _bulk: Row[Any], _item: Row[Any], _now_us: int) -> str:
    return "engine.unsupported"


class Release:
    """Sends what is due. `sent` is called with (project, bulk) after each commit.

    `permitted` says whether the author of a bulk may still do what it does.
    """

    def __init__(
        self,
        db: Database,
        roots: RootKeys,
        wall_us: Callable[[], int],
        new_id: Callable[[], str],
        sent: Callable[[str, str], None],
        permitted: Callable[[Connection, Row[Any]], bool],
    ) -> None:
        self._db = db
        self._roots = roots
        self._wall_us = wall_us
        self._new_id = new_id
        self._sent = sent
        self._permitted = permitted
        self.ordered: Ordered = _nothing
        """Asked where each item has a command of its own."""
        self._wanted = asyncio.Event()
        self._budget: dict[tuple[str, str, str], tuple[float, int]] = {}

    def nudge(self) -> None:
        """Say that a bulk was confirmed or changed."""
        self._wanted.set()

    async def run(self) -> None:
        """Release for ever; a database that is away is tried again."""
        wait_s = 0.0
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), wait_s)
            self._wanted.clear()
            try:
                wait_s = await self.turn()
            except DBAPIError as error:
                if not is_trouble(error):
                    _log.warning("actions wait for the database: %s", error.orig)
                wait_s = IDLE_S

    async def turn(self) -> float:
        """One look at everything due; returns after how many seconds to look again."""
        now_us = self._wall_us()
        moved, active, hold = await self._db.write(self._turn, now_us)
        for project_id, bulk_id in moved:
            self._sent(project_id, bulk_id)
        if active:
            return TICK_S
        return IDLE_S if hold is None else min(IDLE_S, max(0.01, (hold - now_us) / 1e6))

    def _turn(
        self, conn: Connection, now_us: int
    ) -> tuple[list[tuple[str, str]], bool, int | None]:
        moved, active = [], False
        for bulk_id in store.stale_previews(conn, now_us - PREVIEW_TTL_US):
            store.drop(conn, bulk_id)
        for bulk in store.due(conn, now_us):
            if not self._permitted(conn, bulk):
                _refuse(conn, bulk.id, now_us)
                moved.append((bulk.project_id, bulk.id))
                continue
            began = bulk.state == "held" and store.change_bulk(
                conn, bulk.id, ["held"], state="running", started=now_us
            )
            sent, more = self._step(conn, bulk, now_us)
            active = active or more
            if began or sent:
                recount(conn, bulk.id, now_us)
                moved.append((bulk.project_id, bulk.id))
        return moved, active, store.next_hold(conn)

    def _step(self, conn: Connection, bulk: Row[Any], now_us: int) -> tuple[bool, bool]:
        room = IN_FLIGHT - len(store.open_commands(conn, bulk.id))
        if room <= 0:
            return False, True
        action = ACTIONS[bulk.action]
        found = store.waiting(conn, bulk.id, CHUNK * room)
        chunks: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
        gone = []
        for item in found:
            moved_on = item.task_state is not None and item.task_state not in map(
                int, action.states
            )
            if moved_on and action.about == "task":
                gone.append(item.idx)
            else:
                chunks[item.engine, item.app].append(item)
        if gone:
            store.mark(conn, bulk.id, gone, state="skipped", code="task.state_changed")
        sent = self._send(conn, bulk, action, chunks, now_us)
        return sent or bool(gone), bool(found)

    def _send(
        self, conn: Connection, bulk: Row[Any], action: Action,
        chunks: dict[tuple[str, str], list[Row[Any]]], now_us: int,
    ) -> bool:  # fmt: skip
        sent = False
        offered = offers(conn, bulk.project_id)
        for (engine, app), items in chunks.items():
            offer = offered.get((engine, app))
            scope = offer.verbs.get(action.verb, _BOTH) if offer else _BOTH
            if action.single:
                sent = self._send_each(conn, bulk, items, scope, now_us) or sent
                continue
            for start in range(0, len(items), CHUNK):
                part = items[start : start + CHUNK]
                broker = (bulk.project_id, engine, app)
                part = part[: self._allowed(broker, len(part), PER_SECOND, now_us)]
                if not part:
                    break
                self._add(conn, bulk, part, scope, bulk.params or {}, now_us)
                sent = True
        return sent

    def _send_each(
        self, conn: Connection, bulk: Row[Any], items: list[Row[Any]], scope: int, now_us: int
    ) -> bool:
        """Send items that have a command each, as many as the bulk's rate and room permit."""
        room = IN_FLIGHT - len(store.open_commands(conn, bulk.id))
        rate = bulk.rate or PER_SECOND
        sent = False
        for item in items[: self._allowed(("bulk", bulk.id, ""), room, rate, now_us)]:
            params = self.ordered(conn, bulk, item, now_us)
            if params == WAIT:
                break
            if isinstance(params, str):
                store.mark(conn, bulk.id, [item.idx], state="skipped", code=params)
            else:
                self._add(conn, bulk, [item], scope, params, now_us)
            sent = True
        return sent

    def _add(
        self, conn: Connection, bulk: Row[Any], part: list[Row[Any]], scope: int,
        params: Mapping[str, Any], now_us: int,
    ) -> None:  # fmt: skip
        action, cmd_id = ACTIONS[bulk.action], self._new_id()
        add_command(conn, self._roots, NewCommand(
            cmd_id=cmd_id, project_id=bulk.project_id, engine=part[0].engine, app=part[0].app,
            verb=action.verb, scope=scope, targets=[item.task_id for item in part],
            params=params, actor=[bulk.by_id or "", bulk.by, bulk.via],
            reason=bulk.reason or "", bulk_id=bulk.id,
            deadline_us=now_us + action.ttl_s * 1_000_000, created_us=now_us,
        ))  # fmt: skip
        store.seat(conn, bulk.id, cmd_id, [item.idx for item in part])

    def _allowed(self, what: tuple[str, str, str], wanted: int, rate: int, now_us: int) -> int:
        """How many of `wanted` targets may go now, at `rate` a second; a bucket of one second."""
        tokens, at_us = self._budget.get(what, (float(rate), now_us))
        tokens = min(float(rate), tokens + (now_us - at_us) * rate / 1e6)
        taken = min(wanted, int(tokens))
        self._budget[what] = (tokens - taken, now_us)
        return taken


def _refuse(conn: Connection, bulk_id: str, now_us: int) -> None:
    """End a bulk of somebody who lost the right to it; what agents hold already goes on."""
    store.change_bulk(conn, bulk_id, ["held", "running"], state="aborted", finished=now_us)
    store.take_back(conn, bulk_id, "refused", "auth.role")
    for cmd_id in store.open_commands(conn, bulk_id):
        outbox.abort(conn, cmd_id, now_us)
    recount(conn, bulk_id, now_us)
