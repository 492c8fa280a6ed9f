"""What the scheduler does to schedules by itself. The rule: written down like any other edit."""

from __future__ import annotations

from hashlib import blake2b

from sqlalchemy import Connection

from . import service, store
from .service import By

NAME = "z4j"


def _by(project_id: str, schedule_id: str, revision: int, now_us: int) -> By:
    text = f"{schedule_id}\0{revision}\0{now_us}"
    entry_id = blake2b(text.encode(), digest_size=16).hexdigest()
    return By(project_id=project_id, name=NAME, via="scheduler", now_us=now_us, entry_id=entry_id)


def pause(conn: Connection, project_id: str, schedule_id: str, reason: str, now_us: int) -> None:
    """Keep the pause a leader has begun; nothing when somebody paused it before."""
    row = store.one(conn, project_id, schedule_id, lock=True)
    if row is not None and not row.paused:
        service.pause(conn, _by(project_id, schedule_id, row.revision, now_us), row, None, reason)


def resume(conn: Connection, project_id: str, schedule_id: str, now_us: int) -> None:
    """End a pause whose time is over: what is due from then on fires."""
    row = store.one(conn, project_id, schedule_id, lock=True)
    if row is None or not row.paused or row.paused_until_ms is None:
        return
    if row.paused_until_ms * 1000 <= now_us:
        by = _by(project_id, schedule_id, row.revision, now_us)
        service.resume(conn, by, row, row.paused_until_ms)
