"""Tables of agents: their keys, their sessions, their streams and who was refused."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, text

from ..db.schema import METADATA, blob, count, document, key, number, small, us, words

agent_keys = Table(
    "agent_keys",
    METADATA,
    key("cred_id", primary_key=True),
    Column("kid", Integer, primary_key=True, autoincrement=False),
    key("project_id"),
    key("role", server_default="agent"),
    words("label"),
    blob("wrapped", nullable=False),
    key("root_kid"),
    us("created", nullable=False),
    us("retired"),
    us("revoked"),
    us("last_used"),
    Index("ix_agent_keys_project", "project_id"),
)

refused_attempts = Table(
    "refused_attempts",
    METADATA,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    us("at", nullable=False),
    key("project_id", nullable=True),
    key("cred_id"),
    Column("kid", Integer, nullable=False),
    words("address"),
    words("url"),
    words("slug"),
    number("code", nullable=False),
    words("reason"),
    Index("ix_refused_attempts_project", "project_id", "at"),
)

agents = Table(
    "agents",
    METADATA,
    key("project_id", primary_key=True),
    key("stream", primary_key=True),
    key("session"),
    key("replica", nullable=True),
    key("cred_id"),
    Column("kid", Integer, nullable=False),
    number("epoch", nullable=False),
    key("host"),
    words("os"),
    words("boot"),
    number("pid"),
    key("role"),
    words("agent_version"),
    words("python_version"),
    words("framework"),
    words("release"),
    words("environment"),
    document("tags"),
    document("apps"),
    words("policy"),
    words("policy_digest"),
    words("storage"),
    words("transport"),
    document("groups"),
    document("declared"),
    Column("connected", Boolean, nullable=False, server_default=text("false")),
    us("connected_at", nullable=False),
    us("disconnected_at"),
    us("last_beat"),
    us("clock_skew"),
    number("age_ms"),
    number("lag_ms"),
    number("busy"),
    number("slots"),
    count("spool_bytes"),
    count("spool_segments"),
    count("spool_lost"),
    count("spool_evicted"),
    number("rss_kb"),
    count("cpu_ms"),
    count("sessions"),
    Index("ix_agents_list", "project_id", "connected", "last_beat"),
)

streams = Table(
    "streams",
    METADATA,
    key("stream", primary_key=True),
    small("cls", primary_key=True, autoincrement=False),
    key("segment", primary_key=True),
    key("project_id"),
    key("cred_id"),
    number("epoch", nullable=False),
    count("watermark"),
    count("stored"),
    count("lost"),
    count("quarantined"),
    count("unknown"),
    document("meta"),
    us("opened", nullable=False),
    us("touched", nullable=False),
    us("done"),
    Index("ix_streams_project", "project_id", "touched"),
)

stream_owners = Table(
    "stream_owners",
    METADATA,
    key("stream", primary_key=True),
    key("project_id"),
    key("cred_id"),
    number("epoch", nullable=False),
)

quarantine = Table(
    "quarantine",
    METADATA,
    key("stream", primary_key=True),
    key("segment", primary_key=True),
    Column("pos", BigInteger, primary_key=True, autoincrement=False),
    key("project_id"),
    us("at", nullable=False),
    words("reason"),
    blob("body"),
)

lost_facts = Table(
    "lost_facts",
    METADATA,
    key("project_id", primary_key=True),
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    small("reason", primary_key=True, autoincrement=False),
    count("n"),
)

notes = Table(
    "notes",
    METADATA,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    key("project_id"),
    key("stream"),
    us("at", nullable=False),
    small("level"),
    key("code"),
    words("text"),
    key("engine", nullable=True),
    key("app", nullable=True),
    Index("ix_notes_project", "project_id", "at"),
    Index("ix_notes_code", "project_id", "code", "stream", "id"),
)
