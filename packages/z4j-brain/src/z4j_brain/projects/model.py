"""Table of projects."""

from __future__ import annotations

from sqlalchemy import Table

from ..db.schema import METADATA, document, key, us, words

projects = Table(
    "projects",
    METADATA,
    key("id", primary_key=True),
    key("slug", unique=True),
    words("name", nullable=False),
    us("created", nullable=False),
    us("archived"),
    document("settings"),
)
