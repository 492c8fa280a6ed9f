"""A schema of before is brought to head, and what it held stays."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import SAWarning
from z4j_brain.db import open_database
from z4j_brain.migrations import upgrade
from z4j_brain.schedules.model import TABLES, TROUBLES

FIRST = ("INSERT INTO projects (id, slug, name, created) VALUES ('1', 'shop', 'Shop', 0)",)
LEASES = ("z4j_lease", "z4j_cursor", "z4j_open", "z4j_guard", "z4j_run", "z4j_snapshot")

MISSED, SENT = 5, 3


class Newest(NamedTuple):
    """The newest fire of a schedule, and its grace."""

    status: int
    lag_ms: int
    grace_s: int = 60


NEWEST = {
    "good": Newest(SENT, 60_000), "late": Newest(SENT, 60_001),
    "patient": Newest(SENT, 60_001, grace_s=90), "missed": Newest(MISSED, 60_001),
}  # fmt: skip
SCHEDULE = (
    "INSERT INTO schedules (id, project_id, engine, app, name, task, owner, document, enabled,"
    " paused, created, updated, effective_ms, not_before_ms)"
    " VALUES (:id, '1', 'celery', 'redis/0', :id, 't', 'ui', :document, true, false, 0, 0, 0, 0)"
)
FIRE = (
    "INSERT INTO fires (schedule_id, generation, slot_ms, nonce, fire_id, project_id, engine, app,"
    " status, lag_ms)"
    " VALUES (:id, 1, :slot, '', :id || :slot, '1', 'celery', 'redis/0', :status, :lag_ms)"
)


@pytest.fixture
def before(database, tmp_path: Path):
    """A database as it was at revision 0002."""
    if not database.is_sqlite:
        made = database
    else:
        made = open_database(f"sqlite:///{tmp_path / 'old.db'}")
        upgrade(made.engine)
    with made.writing() as conn:
        conn.execute(text("DELETE FROM projects"))
        for name in (*[table.name for table in TABLES], *LEASES):
            conn.execute(text(f"DROP TABLE {name}"))
        conn.execute(text("DROP INDEX ix_tasks_schedule"))
        conn.execute(text("ALTER TABLE bulk_items DROP COLUMN slot_ms"))
        conn.execute(text("ALTER TABLE agents DROP COLUMN transport"))
        conn.execute(text("UPDATE alembic_version SET version_num = '0002'"))
        for statement in FIRST:
            conn.execute(text(statement))
    yield made
    upgrade(made.engine)
    if made is not database:
        made.close()


def test_a_schema_without_schedules_gets_all_of_them_and_keeps_what_it_held(before):
    upgrade(before.engine)

    found = inspect(before.engine)
    assert {table.name for table in TABLES} | set(LEASES) <= set(found.get_table_names())
    assert "slot_ms" in {column["name"] for column in found.get_columns("bulk_items")}
    assert "ix_tasks_schedule" in {index["name"] for index in found.get_indexes("tasks")}
    with before.reading() as conn:
        assert conn.execute(text("SELECT slug FROM projects")).scalar() == "shop"


def test_agents_of_a_schema_without_their_way_get_it(before):
    upgrade(before.engine)

    assert "transport" in {one["name"] for one in inspect(before.engine).get_columns("agents")}


@pytest.fixture
def led(before):
    """A database as it was at revision 0007, with a schedule for each of some newest fires."""
    upgrade(before.engine)
    indexes = [f"ix_schedules_{name}" for name in (*TROUBLES, "coming")]
    with before.writing() as conn:
        for index in indexes:
            conn.execute(text(f"DROP INDEX {index}"))
        for column in ("grace_ms", "missed", "late"):
            conn.execute(text(f"ALTER TABLE schedules DROP COLUMN {column}"))
        for name, newest in NEWEST.items():
            document = f'{{"grace_s":{newest.grace_s},"name":"{name}"}}'
            conn.execute(text(SCHEDULE), {"id": name, "document": document})
            fires = [(1, MISSED, 0), (2, newest.status, newest.lag_ms)]
            for slot, status, lag_ms in fires:
                row = {"id": name, "slot": slot, "status": status, "lag_ms": lag_ms}
                conn.execute(text(FIRE), row)
        conn.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    return before


def test_schedules_of_before_stand_in_the_trouble_of_their_newest_fire(led):
    upgrade(led.engine)

    with led.reading() as conn:
        columns = "id, grace_ms, missed, late"
        found = {row.id: row for row in conn.execute(text(f"SELECT {columns} FROM schedules"))}
    assert {name for name, row in found.items() if row.missed} == {"missed"}
    assert {name for name, row in found.items() if row.late} == {"late"}
    assert found["patient"].grace_ms == 90_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        indexes = {index["name"] for index in inspect(led.engine).get_indexes("schedules")}
    assert {f"ix_schedules_{name}" for name in TROUBLES} <= indexes


def test_bringing_it_to_head_again_changes_nothing(before):
    upgrade(before.engine)
    first = sorted(inspect(before.engine).get_table_names())

    upgrade(before.engine)

    assert sorted(inspect(before.engine).get_table_names()) == first
