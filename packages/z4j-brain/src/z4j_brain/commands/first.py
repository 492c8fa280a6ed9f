"""The first command of a project: a look at its workers, so that the way there is known to work.

The rule: it is read-only, permitted at every level, and asked only until one command was done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from ..db.rootkeys import RootKeys
from .model import commands
from .results import OPEN
from .seal import NewCommand, add_command

VERB = "workers"
WAIT_US = 30_000_000
_BROKER = 1
Offered = tuple[str, str, Mapping[str, int]]
"""(engine, app, verb to scope)"""


def ask_first(
    conn: Connection,
    roots: RootKeys,
    project_id: str,
    offered: Sequence[Offered],
    cmd_id: str,
    now_us: int,
) -> bool:
    """Order the look if no command of this project was done or is on its way; whether it was."""
    able = [(engine, app) for engine, app, verbs in offered if verbs.get(VERB, 0) & _BROKER]
    if not able or _was_asked(conn, project_id):
        return False
    engine, app = able[0]
    command = NewCommand(
        cmd_id=cmd_id, project_id=project_id, engine=engine, app=app, verb=VERB, scope=_BROKER,
        targets=[], actor=["z4j", "z4j", "brain"], reason="the first command",
        deadline_us=now_us + WAIT_US, created_us=now_us,
    )  # fmt: skip
    add_command(conn, roots, command)
    return True


def _was_asked(conn: Connection, project_id: str) -> bool:
    states = sorted({*OPEN, "done"})
    query = select(commands.c.cmd_id).where(
        commands.c.project_id == project_id, commands.c.state.in_(states)
    )
    return conn.execute(query.limit(1)).first() is not None
