"""Tables of queues: what a broker last said, and its depth per minute."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Table

from ..db.schema import METADATA, count, document, key, number, small, us, words

queues = Table(
    "queues",
    METADATA,
    key("project_id", primary_key=True),
    key("engine", primary_key=True),
    key("app", primary_key=True),
    key("name", primary_key=True),
    words("shape"),
    count("depth", nullable=True, server_default=None),
    count("scheduled", nullable=True, server_default=None),
    count("unacked", nullable=True, server_default=None),
    count("dead", nullable=True, server_default=None),
    us("oldest"),
    number("consumers"),
    Column("paused", Boolean),
    document("by_priority"),
    small("flags"),
    us("sampled"),
    us("first_seen", nullable=False),
    count("v"),
)

queue_samples = Table(
    "queue_samples",
    METADATA,
    key("project_id", primary_key=True),
    key("engine", primary_key=True),
    key("app", primary_key=True),
    key("name", primary_key=True),
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    count("depth", nullable=True, server_default=None),
    count("scheduled", nullable=True, server_default=None),
    count("unacked", nullable=True, server_default=None),
    us("oldest"),
    number("consumers"),
)
