"""Asking an agent something now. The rule: a look changes nothing and ends within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from ..errors import Conflict
from ..web.context import Brain
from .model import commands
from .results import OPEN
from .seal import NewCommand, add_command

WAIT_S = 6.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One question about one thing; `verb` is read-only, `actor` is (id, name, via)."""

    project_id: str
    engine: str
    app: str
    verb: str
    target: str
    scope: int
    actor: tuple[str, str, str]
    params: Mapping[str, Any] = field(default_factory=dict)


async def evidence_of(brain: Brain, look: Look) -> dict[str, Any]:
    """What an agent answers.

    Raises:
        Conflict: no agent answered in time, or it could not tell; the code says which.
    """
    now_us = brain.now_us()
    command = NewCommand(
        cmd_id=brain.new_id(), project_id=look.project_id, engine=look.engine, app=look.app,
        verb=look.verb, scope=look.scope, targets=[look.target], params=look.params,
        actor=list(look.actor), deadline_us=now_us + int(WAIT_S * 1_000_000), created_us=now_us,
    )  # fmt: skip
    await brain.db.write(add_command, brain.roots, command)
    brain.wake()
    for _ in range(int(WAIT_S / POLL_S)):
        await asyncio.sleep(POLL_S)
        row = await brain.db.read(_row, command.cmd_id)
        if row.state not in OPEN:
            return _answer(row)
    raise Conflict("agent.none", "no agent answered in time")


def _row(conn: Connection, cmd_id: str) -> Row[Any]:
    return conn.execute(select(commands).where(commands.c.cmd_id == cmd_id)).one()


def _answer(row: Row[Any]) -> dict[str, Any]:
    result = row.result or {}
    if row.state != "done":
        code = result.get("code") or "engine.unavailable"
        raise Conflict(code, result.get("detail") or "the agent could not tell")
    found = (result.get("evidence") or {}).get("0")
    return dict(found) if isinstance(found, Mapping) else {}
