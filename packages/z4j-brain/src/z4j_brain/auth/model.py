"""Tables of people: users, their sessions and their memberships. Only hashes of secrets."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table, text

from ..db.schema import METADATA, blob, count, document, key, number, us, words

users = Table(
    "users",
    METADATA,
    key("id", primary_key=True),
    key("email", unique=True),
    words("name"),
    words("password"),
    Column("is_owner", Boolean, nullable=False, server_default=text("false")),
    us("created", nullable=False),
    us("disabled"),
    us("last_login"),
    document("settings"),
)

sessions = Table(
    "sessions",
    METADATA,
    key("id_hash", primary_key=True),
    key("user_id"),
    us("created", nullable=False),
    us("seen", nullable=False),
    us("expires", nullable=False),
    us("proved"),
    words("ip"),
    words("agent"),
    Index("ix_sessions_user", "user_id"),
)

members = Table(
    "members",
    METADATA,
    key("project_id", primary_key=True),
    key("user_id", primary_key=True),
    key("role"),
    document("grants"),
    us("created", nullable=False),
    Index("ix_members_user", "user_id"),
)

throttle = Table(
    "throttle",
    METADATA,
    key("bucket", primary_key=True),
    number("failures", nullable=False, server_default="0"),
    us("first", nullable=False),
    us("until"),
)

setup_tokens = Table(
    "setup_tokens",
    METADATA,
    key("token_hash", primary_key=True),
    key("purpose"),
    key("user_id", nullable=True),
    us("created", nullable=False),
    us("expires", nullable=False),
    us("used"),
)

api_tokens = Table(
    "api_tokens",
    METADATA,
    key("id", primary_key=True),
    key("token_hash", unique=True),
    key("project_id"),
    key("user_id"),
    words("label"),
    document("scopes"),
    us("created", nullable=False),
    us("expires"),
    us("revoked"),
    us("last_used"),
    Index("ix_api_tokens_project", "project_id"),
)

keyring = Table(
    "keyring",
    METADATA,
    key("name", primary_key=True),
    key("root_kid"),
    blob("wrapped", nullable=False),
    us("created", nullable=False),
    count("version"),
)
