"""Alembic's entry: runs revisions on the connection that `upgrade` handed over."""

from __future__ import annotations

from alembic import context

from z4j_brain.migrations.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA)
context.run_migrations()
