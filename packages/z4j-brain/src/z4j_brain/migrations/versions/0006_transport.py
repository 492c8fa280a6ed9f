"""Agents are shown with the way they came: a WebSocket, or requests where none gets through."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text, inspect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column where the first revision was run before it existed."""
    columns = {column["name"] for column in inspect(op.get_bind()).get_columns("agents")}
    if "transport" not in columns:
        op.add_column("agents", Column("transport", Text))


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
