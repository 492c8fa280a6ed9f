"""Tables of rotation: the brains that are running, and the root secrets each can read."""

from __future__ import annotations

from sqlalchemy import Table

from ..db.schema import METADATA, document, key, us

replicas = Table(
    "replicas",
    METADATA,
    key("id", primary_key=True),
    document("kids", nullable=False),
    us("seen", nullable=False),
)
