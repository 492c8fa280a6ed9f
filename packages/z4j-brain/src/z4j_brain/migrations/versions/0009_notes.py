"""Notes of one code are found by who told them."""

from __future__ import annotations

from alembic import op

from z4j_brain.agents.model import notes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index where an older schema does not have it."""
    (index,) = (each for each in notes.indexes if each.name == "ix_notes_code")
    index.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
