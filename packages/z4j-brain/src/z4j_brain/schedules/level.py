"""Which level of an app's policy a schedule needs. The rule: said before it is saved.

What the app has declared itself fires at `control`; what was typed here needs `run`.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select
from z4j_core.model.commands import Level
from z4j_core.scheduler.fires import digest

from .model import schedules

FIX = "set Z4J_ALLOW=run in the app, or declare the schedule there"


def registered(conn: Connection, project_id: str) -> frozenset[bytes]:
    """Invocations that apps of this project have declared."""
    query = select(schedules.c.declared).where(
        schedules.c.project_id == project_id, schedules.c.declared.is_not(None)
    )
    return frozenset(_digest(json.loads(text)) for text in conn.execute(query).scalars())


def _digest(document: dict[str, Any]) -> bytes:
    return digest(document.get("task", ""), document.get("args", []), document.get("kwargs", {}))


def needs(document: dict[str, Any], known: frozenset[bytes]) -> Level:
    """The lowest level at which an app fires this."""
    return Level.CONTROL if _digest(document) in known else Level.RUN
