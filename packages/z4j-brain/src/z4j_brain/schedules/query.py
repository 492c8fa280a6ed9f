"""The query of the list of schedules. The rule: the grammar of tasks, with keys of its own."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, false, func, or_, true

from ..search import Key, Kind, Node, parse
from ..search.globs import fits, holds
from ..search.tree import And, Field, Not, Or, Text
from .model import TROUBLES, schedules

IS = ("paused", "enabled", "disabled", "failing", "declared", "silent", "missed", "late")
KEYS: Mapping[str, Key] = {
    "name": Key(Kind.GLOB, "name", "name of the schedule, * is a wildcard"),
    "engine": Key(Kind.EXACT, "engine", "engine that runs its tasks"),
    "app": Key(Kind.EXACT, "app", "app and broker it belongs to"),
    "task": Key(Kind.GLOB, "task", "name of the definition it fires"),
    "queue": Key(Kind.GLOB, "queue", "queue it fires into"),
    "tag": Key(Kind.EXACT, "tags", "one of its tags"),
    "owner": Key(Kind.GLOB, "owner", "ui, or declarative: and the tag of its file"),
    "id": Key(Kind.PREFIX, "id", "beginning of its id"),
    "is": Key(Kind.ENUM, "", "paused, enabled, disabled, failing, silent, missed, …", IS),
}


def where(project_id: str, q: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Project and query as one clause.

    Raises:
        QueryError: it cannot be meant.
    """
    return and_(schedules.c.project_id == project_id, _sql(parse(q, KEYS), sqlite=sqlite))


def _sql(node: Node, *, sqlite: bool) -> ColumnElement[bool]:
    match node:
        case Not(item):
            return func.coalesce(_sql(item, sqlite=sqlite), false()).is_(false())
        case And(items):
            return and_(true(), *(_sql(item, sqlite=sqlite) for item in items))
        case Or(items):
            return or_(*(_sql(item, sqlite=sqlite) for item in items))
        case Text(text):
            shown = (schedules.c.name, schedules.c.task)
            return or_(*(holds(column, text, sqlite=sqlite) for column in shown))
        case Field():
            values = [_one(node.key, value.text, sqlite=sqlite) for value in node.values]
            return or_(*values)


def _one(key: str, text: str, *, sqlite: bool) -> ColumnElement[bool]:
    if key == "is":
        return is_clause(text)
    if key == "tag":
        return holds_exactly(f"\n{text}\n", sqlite=sqlite)
    column = schedules.c[KEYS[key].column]
    if KEYS[key].kind is Kind.PREFIX:
        return fits(column, f"{text}*", sqlite=sqlite)
    return fits(column, text, sqlite=sqlite) if KEYS[key].kind is Kind.GLOB else column == text


def is_clause(text: str) -> ColumnElement[bool]:
    """What `is:` with this word says of a schedule."""
    return TROUBLES[text] if text in TROUBLES else _IS[text]


def holds_exactly(text: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Whether the tags hold this one, case-sensitive."""
    find = func.instr if sqlite else func.strpos
    return find(schedules.c.tags, text) > 0


_IS: Mapping[str, ColumnElement[bool]] = {
    "enabled": schedules.c.enabled.is_(true()),
    "disabled": schedules.c.enabled.is_(false()),
    "declared": schedules.c.owner.like("declarative:%"),
}
