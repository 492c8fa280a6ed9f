"""Tables of schedules, their revisions, their fires, and the groups they are led in.

The rule: instants of slots are milliseconds in columns that end in `_ms`, all others microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Table,
    and_,
    false,
    literal_column,
    true,
)  # fmt: skip

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
    count("grace_ms"),
    Column("missed", Boolean, nullable=False, server_default=false()),
    Column("late", Boolean, nullable=False, server_default=false()),
    Index("ix_schedules_name", "project_id", "engine", "app", "name", unique=True),
    Index("ix_schedules_list", "project_id", "name", "id"),
    Index("ix_schedules_changes", "project_id", "engine", "app", "revision"),
    Index("ix_schedules_watch", "watch_ms"),
)
"""`document` is the definition as canonical JSON; `declared` the one last applied by a file.

`watch_ms` is when a slot that nobody told of makes the schedule silent; NULL: nothing is awaited.
`grace_ms` is the document's, `missed` and `late` are what its newest fire was.
"""

TROUBLES: Mapping[str, ColumnElement[bool]] = {
    "silent": schedules.c.silent.is_not(None),
    "failing": schedules.c.consecutive_failures > literal_column("0"),
    "paused": schedules.c.paused.is_(true()),
    "missed": schedules.c.missed.is_(true()),
    "late": schedules.c.late.is_(true()),
}
"""What is wrong with a schedule. Each has an index of such schedules alone, which counts them.

A database takes that index where it finds the same words: no value in them may be a parameter.
"""
for _name, _clause in TROUBLES.items():
    Index(
        f"ix_schedules_{_name}", schedules.c.project_id,
        sqlite_where=_clause, postgresql_where=_clause,
    )  # fmt: skip

DUE_MS = schedules.c.watch_ms - schedules.c.grace_ms
"""Orders schedules by when they are due next."""
COMING = and_(
    schedules.c.enabled.is_(true()), schedules.c.paused.is_(false()),
    schedules.c.silent.is_(None), schedules.c.watch_ms.is_not(None),
)  # fmt: skip
"""Schedules of which a fire is awaited; they have an index by when it is due."""
Index(
    "ix_schedules_coming", schedules.c.project_id, DUE_MS, schedules.c.id,
    sqlite_where=COMING, postgresql_where=COMING,
)  # fmt: skip

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
