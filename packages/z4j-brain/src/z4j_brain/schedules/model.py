"""Tables of schedules, their revisions, their fires, and the groups they are led in.

The rule: instants of slots are milliseconds in columns that end in `_ms`, all others microseconds.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Table

from ..db.schema import METADATA, count, key, number, small, us, words

schedules = Table(
    "schedules",
    METADATA,
    key("id", primary_key=True),
    key("project_id"),
    key("engine"),
    key("app"),
    key("name"),
    key("task"),
    key("queue", nullable=True),
    words("tags", nullable=False, server_default=""),
    key("owner"),
    words("document", nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    words("paused_by"),
    us("paused_at"),
    words("paused_note"),
    us("paused_until_ms"),
    count("generation"),
    count("revision"),
    us("created", nullable=False),
    us("updated", nullable=False),
    us("effective_ms", nullable=False),
    us("not_before_ms", nullable=False),
    us("last_slot_ms"),
    count("last_generation"),
    us("last_ended_ms"),
    key("last_fire_id", nullable=True),
    count("consecutive_failures"),
    count("fires_total"),
    us("watch_ms"),
    words("silent"),
    words("declared"),
    Index("ix_schedules_name", "project_id", "engine", "app", "name", unique=True),
    Index("ix_schedules_list", "project_id", "name", "id"),
    Index("ix_schedules_changes", "project_id", "engine", "app", "revision"),
    Index("ix_schedules_watch", "watch_ms"),
)
"""`document` is the definition as canonical JSON; `declared` the one last applied by a file.

`watch_ms` is when a slot that nobody told of makes the schedule silent; NULL: nothing is awaited.
"""

schedule_revisions = Table(
    "schedule_revisions",
    METADATA,
    key("schedule_id", primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    key("project_id"),
    us("at", nullable=False),
    words("by", nullable=False),
    words("state", nullable=False),
    words("changes", nullable=False),
)
"""`state` is everything people edit, `changes` a list of [field, before, after]; both JSON."""

fires = Table(
    "fires",
    METADATA,
    key("schedule_id", primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("slot_ms", BigInteger, primary_key=True, autoincrement=False),
    key("nonce", primary_key=True),
    key("fire_id"),
    key("project_id"),
    key("engine"),
    key("app"),
    small("status"),
    small("trigger"),
    words("reason"),
    key("actor", nullable=True),
    words("slot_local", nullable=False, server_default=""),
    small("fold"),
    us("due"),
    us("claimed"),
    us("sent"),
    count("lag_ms"),
    count("epoch"),
    count("revision"),
    number("enq", nullable=False, server_default="1"),
    count("count", server_default="1"),
    number("state"),
    us("ended"),
    Index("ix_fires_id", "project_id", "fire_id", unique=True),
    Index("ix_fires_ended", "schedule_id", "ended"),
    Index("ix_fires_slot", "schedule_id", "slot_ms", "fire_id"),
    Index("ix_fires_project", "project_id", "slot_ms", "fire_id"),
)
"""`state` is that of the task with the fire's id, NULL until it is known; `ended` is its end."""

calendars = Table(
    "calendars",
    METADATA,
    key("project_id", primary_key=True),
    key("name", primary_key=True),
    words("document", nullable=False),
    us("updated", nullable=False),
)

schedule_groups = Table(
    "schedule_groups",
    METADATA,
    key("project_id", primary_key=True),
    key("engine", primary_key=True),
    key("app", primary_key=True),
    count("era", server_default="1"),
    count("revision"),
    key("store", nullable=True),
    key("leader", nullable=True),
    count("epoch"),
    us("heard"),
    key("mode", nullable=True),
    key("next_mode", nullable=True),
    key("next_store", nullable=True),
    us("moving"),
)
"""`store` is where leases are: NULL where the app chooses, `none` while nobody leads."""

schedules_gone = Table(
    "schedules_gone",
    METADATA,
    key("project_id", primary_key=True),
    key("engine", primary_key=True),
    key("app", primary_key=True),
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    key("schedule_id", primary_key=True),
)
"""Schedules that were deleted, by the revision of their group that took them away."""

declared_sets = Table(
    "declared_sets",
    METADATA,
    key("project_id", primary_key=True),
    key("tag", primary_key=True),
    key("hash", primary_key=True),
    words("documents", nullable=False),
    us("seen", nullable=False),
    us("tried"),
    us("applied"),
    words("fault"),
)
"""Sets that agents report, as JSON by name; the one that was applied last is the one in force."""

TABLES = (schedules, schedule_revisions, fires, calendars, schedule_groups, schedules_gone)
