"""What schedules stand in is kept with them, and counted by indexes of their own."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import JSON, Boolean, Column, ColumnElement, cast, false, func, inspect, update
from sqlalchemy.schema import CreateIndex

from z4j_brain.db.schema import count
from z4j_brain.schedules import newest
from z4j_brain.schedules.model import TROUBLES, schedules

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEXES = {"ix_schedules_coming", *(f"ix_schedules_{name}" for name in TROUBLES)}


def upgrade() -> None:
    """Add what an older schema does not have, and fill it from documents and fires."""
    bind = op.get_bind()
    known = {column["name"] for column in inspect(bind).get_columns("schedules")}
    missing = [column for column in _columns() if column.name not in known]
    for column in missing:
        op.add_column("schedules", column)
    if missing:
        bind.execute(update(schedules).values(grace_ms=_grace_s() * 1000))
        newest.keep_all(bind)
    for index in schedules.indexes:
        if index.name in INDEXES:
            bind.execute(CreateIndex(index, if_not_exists=True))


def _columns() -> list[Column[Any]]:
    return [
        count("grace_ms"),
        Column("missed", Boolean, nullable=False, server_default=false()),
        Column("late", Boolean, nullable=False, server_default=false()),
    ]


def _grace_s() -> ColumnElement[int]:
    """The grace in a document."""
    if op.get_bind().dialect.name == "sqlite":
        return func.json_extract(schedules.c.document, "$.grace_s")
    return cast(schedules.c.document, JSON)["grace_s"].as_integer()


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
