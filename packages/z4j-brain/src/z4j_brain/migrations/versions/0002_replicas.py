"""Running brains say which root secrets they can read."""

from __future__ import annotations

from alembic import op

from z4j_brain.rotation.model import replicas

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table where the first revision was run before it existed."""
    replicas.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
