"""Writing down who did what. The rule: one function adds rows, in the business transaction."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from .model import audit_event


class Entry(NamedTuple):
    """One audited act. `outcome` is ok, denied, refused or failed."""

    action: str
    actor: str
    via: str
    project_id: str | None = None
    target: str | None = None
    outcome: str = "ok"
    reason: str | None = None
    detail: dict[str, Any] | None = None


def record(conn: Connection, event_id: str, at_us: int, entry: Entry) -> None:
    """Add one row; it is stored when the caller's transaction commits."""
    conn.execute(insert(audit_event).values(id=event_id, at=at_us, **entry._asdict()))


def last_target(conn: Connection, action: str) -> str | None:
    """What the newest row of this action was about."""
    rows = select(audit_event.c.target).where(audit_event.c.action == action)
    target: str | None = conn.execute(rows.order_by(audit_event.c.pos.desc()).limit(1)).scalar()
    return target
