"""Writing down who did what. The rule: one function adds rows, in the business transaction."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, insert

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
