"""A schema of before is brought to head, and what it held stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from z4j_brain.db import open_database
from z4j_brain.migrations import upgrade
from z4j_brain.schedules.model import TABLES

FIRST = ("INSERT INTO projects (id, slug, name, created) VALUES ('1', 'shop', 'Shop', 0)",)
LEASES = ("z4j_lease", "z4j_cursor", "z4j_open", "z4j_guard", "z4j_run", "z4j_snapshot")


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


def test_bringing_it_to_head_again_changes_nothing(before):
    upgrade(before.engine)
    first = sorted(inspect(before.engine).get_table_names())

    upgrade(before.engine)

    assert sorted(inspect(before.engine).get_table_names()) == first
