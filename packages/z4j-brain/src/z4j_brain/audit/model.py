"""Table of audited actions: rows are only added."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from ..db.schema import METADATA, document, key, us, words

audit_event = Table(
    "audit_event",
    METADATA,
    Column(
        "pos",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    key("id", unique=True),
    us("at", nullable=False),
    key("project_id", nullable=True),
    key("actor"),
    words("via"),
    key("action"),
    key("target", nullable=True),
    key("outcome"),
    words("reason"),
    document("detail"),
    Index("ix_audit_event_list", "project_id", "pos"),
)
