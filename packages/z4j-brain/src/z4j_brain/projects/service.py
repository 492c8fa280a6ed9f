"""Projects: made and found. The rule: a slug is a word that can stand in a DSN."""

from __future__ import annotations

from sqlalchemy import Connection

from ..errors import Invalid
from ..web.context import Brain
from . import store

LONGEST = 64


def slug_of(name: str) -> str:
    """A slug from a name: letters, digits and dashes.

    Raises:
        Invalid: nothing is left of it.
    """
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in name.lower())
    slug = "-".join(part for part in kept.split("-") if part)[:LONGEST]
    if not slug:
        raise Invalid("project.name", "a name has a letter or a digit", field="project")
    return slug


def create(conn: Connection, brain: Brain, name: str, slug: str | None = None) -> str:
    """A new project; returns its id."""
    project_id = brain.new_id()
    store.add(conn, project_id, slug or slug_of(name), name, brain.now_us())
    return project_id


def ensure(conn: Connection, brain: Brain, slug: str) -> str:
    """The project with this slug, made when it is missing; returns its id."""
    return store.id_of(conn, slug) or create(conn, brain, slug, slug)
