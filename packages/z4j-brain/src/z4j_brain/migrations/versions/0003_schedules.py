"""Schedules, their fires, and tasks found by the schedule that fired them."""

from __future__ import annotations

from alembic import op

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


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
