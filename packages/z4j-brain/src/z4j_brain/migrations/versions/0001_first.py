"""The first schema: all tables, and the text search of the dialect."""

from __future__ import annotations

from alembic import op
from sqlalchemy.schema import CreateTable

from z4j_brain.migrations.tables import METADATA

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEARCH_SQLITE = (
    "CREATE VIRTUAL TABLE tasks_fts USING fts5(search, content='tasks', content_rowid='rid',"
    " tokenize='trigram', detail='none')",
    "CREATE TRIGGER tasks_fts_added AFTER INSERT ON tasks BEGIN"
    " INSERT INTO tasks_fts(rowid, search) VALUES (new.rid, new.search); END",
    "CREATE TRIGGER tasks_fts_gone AFTER DELETE ON tasks BEGIN"
    " INSERT INTO tasks_fts(tasks_fts, rowid, search) VALUES ('delete', old.rid, old.search); END",
    "CREATE TRIGGER tasks_fts_changed AFTER UPDATE OF search ON tasks"
    " WHEN old.search <> new.search BEGIN"
    " INSERT INTO tasks_fts(tasks_fts, rowid, search) VALUES ('delete', old.rid, old.search);"
    " INSERT INTO tasks_fts(rowid, search) VALUES (new.rid, new.search); END",
)
SEARCH_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_tasks_search ON tasks USING gin (search gin_trgm_ops)",
)


def upgrade() -> None:
    """Create everything."""
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        tasks = METADATA.tables["tasks"]
        ddl = str(CreateTable(tasks).compile(bind))
        ddl = ddl.replace("(", "(\n\trid INTEGER PRIMARY KEY,", 1)
        op.execute(ddl.replace("PRIMARY KEY (ref)", "UNIQUE (ref)"))
        for index in tasks.indexes:
            index.create(bind)
    METADATA.create_all(bind)
    for statement in SEARCH_SQLITE if bind.dialect.name == "sqlite" else SEARCH_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """There is no way back: restore a backup."""
    raise NotImplementedError
