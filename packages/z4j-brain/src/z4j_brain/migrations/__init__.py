"""The schema's history. The rule: `upgrade` brings any known state to head, or changes nothing."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def upgrade(engine: Engine) -> None:
    """Bring the schema to head in one transaction; returns at once when it is there.

    On PostgreSQL replicas that start together wait for each other.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    execution = engine.connect().execution_options(z4j_write=True)
    with execution as conn, conn.begin():
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SELECT pg_advisory_xact_lock(7234016)")
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
