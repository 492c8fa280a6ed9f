"""Rows of projects."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from .model import projects


def add(conn: Connection, project_id: str, slug: str, name: str, now_us: int) -> None:
    conn.execute(
        insert(projects).values(id=project_id, slug=slug, name=name, created=now_us, settings={})
    )


def id_of(conn: Connection, slug: str) -> str | None:
    return conn.execute(select(projects.c.id).where(projects.c.slug == slug)).scalar()
