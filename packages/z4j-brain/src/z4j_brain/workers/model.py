"""Table of workers: one row per worker an engine names."""

from __future__ import annotations

from sqlalchemy import Index, Table

from ..db.schema import METADATA, count, document, key, number, us, words

workers = Table(
    "workers",
    METADATA,
    key("project_id", primary_key=True),
    key("engine", primary_key=True),
    key("app", primary_key=True),
    key("worker", primary_key=True),
    key("stream", nullable=True),
    key("host", nullable=True),
    words("release"),
    key("state"),
    words("reason"),
    words("pool"),
    number("slots"),
    number("busy"),
    document("running"),
    document("children"),
    document("queues"),
    count("processed", nullable=True, server_default=None),
    us("started"),
    document("versions"),
    document("config"),
    us("first_seen", nullable=False),
    us("heard", nullable=False),
    us("state_at", nullable=False),
    count("v"),
    Index("ix_workers_heard", "project_id", "heard"),
)
