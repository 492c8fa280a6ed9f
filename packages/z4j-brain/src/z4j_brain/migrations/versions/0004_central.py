"""Who fires a group, and where a group is moving to."""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

from z4j_brain.schedules.model import schedule_groups

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = ("mode", "next_mode", "next_store", "moving")


def upgrade() -> None:
    """Add what an older schema does not have."""
    bind = op.get_bind()
    known = {column["name"] for column in inspect(bind).get_columns("schedule_groups")}
    for name in COLUMNS:
        if name not in known:
            op.add_column("schedule_groups", schedule_groups.c[name].copy())


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
