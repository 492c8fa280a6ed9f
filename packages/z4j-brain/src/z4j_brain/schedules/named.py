"""Tasks found by the name of the schedule that fired them. The rule: a name stands for its ids.

Tasks keep ids, so that renaming a schedule loses none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from ..search import Node
from ..search.globs import fits, glob_matches
from ..search.tree import And, Field, Not, Or, Value, terms
from .model import schedules

MOST = 1_000
Find = Callable[[str], Iterable[str]]
"""Ids of the schedules whose name fits a pattern."""


def asks(node: Node) -> bool:
    """Whether a query names a schedule."""
    return any(getattr(term, "key", "") == "schedule" for term in terms(node))


def with_ids(node: Node, find: Find) -> Node:
    """The query with the ids that its names of schedules stand for beside them."""
    match node:
        case Not(item):
            return Not(with_ids(item, find))
        case And(items):
            return And(tuple(with_ids(item, find) for item in items))
        case Or(items):
            return Or(tuple(with_ids(item, find) for item in items))
        case Field(key="schedule"):
            ids = {each for value in node.values for each in find(value.text)}
            return replace(node, values=(*node.values, *(Value(each) for each in sorted(ids))))
        case _:
            return node


def stored(conn: Connection, project_id: str) -> Find:
    """Finds among all schedules of a project."""
    sqlite = conn.dialect.name == "sqlite"

    def find(pattern: str) -> Iterable[str]:
        named = fits(schedules.c.name, pattern, sqlite=sqlite)
        query = select(schedules.c.id).where(schedules.c.project_id == project_id, named)
        return conn.execute(query.limit(MOST)).scalars().all()

    return find


def among(names: Mapping[str, str]) -> Find:
    """Finds among schedules by id and name."""
    return lambda pattern: [each for each, name in names.items() if glob_matches(pattern, name)]


def names_of(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Schedule to its name."""
    query = select(schedules.c.id, schedules.c.name).where(schedules.c.id.in_(sorted(set(ids))))
    return {row.id: row.name for row in conn.execute(query)}
