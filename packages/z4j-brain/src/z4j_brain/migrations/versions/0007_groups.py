"""Tasks of one group find each other."""

from __future__ import annotations

from alembic import op

from z4j_brain.tasks.model import tasks

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index where the first revision was run before it existed."""
    (index,) = (each for each in tasks.indexes if each.name == "ix_tasks_group")
    index.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
