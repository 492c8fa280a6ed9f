"""Schedules, their fires and leases, and tasks found by the schedule that fired them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, inspect
from z4j_core.scheduler.leases.sql import ddl

from z4j_brain.schedules.model import TABLES
from z4j_brain.tasks.model import tasks

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what an older schema does not have."""
    bind = op.get_bind()
    for table in TABLES:
        table.create(bind, checkfirst=True)
    for index in tasks.indexes:
        if index.name == "ix_tasks_schedule":
            index.create(bind, checkfirst=True)
    columns = {column["name"] for column in inspect(bind).get_columns("bulk_items")}
    if "slot_ms" not in columns:
        op.add_column("bulk_items", Column("slot_ms", BigInteger))
    for statement in ddl(bind.dialect.name):
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
