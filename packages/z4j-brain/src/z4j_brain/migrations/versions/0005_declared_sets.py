"""Declared sets of schedules, as agents report them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

from z4j_brain.db.schema import document
from z4j_brain.schedules.model import declared_sets

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what an older schema does not have."""
    bind = op.get_bind()
    declared_sets.create(bind, checkfirst=True)
    columns = {column["name"] for column in inspect(bind).get_columns("agents")}
    if "declared" not in columns:
        op.add_column("agents", document("declared"))


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
