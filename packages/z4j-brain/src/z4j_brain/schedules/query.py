"""The query of the list of schedules. The rule: the grammar of tasks, with keys of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, ColumnElement, and_, case, cast, false, func, or_, select, true

from ..search import Key, Kind, Node, parse
from ..search.globs import fits, holds
from ..search.tree import And, Field, Not, Or, Text
from .model import fires, schedules

IS = ("paused", "enabled", "disabled", "failing", "declared", "silent", "missed", "late")
_SENT, _MISSED = 3, 5
_BAD = (4, 8)
"""States of a task, lost and failed, whose fire is not called late as well."""
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
        return is_clause(text, sqlite=sqlite)
    if key == "tag":
        return holds_exactly(f"\n{text}\n", sqlite=sqlite)
    column = schedules.c[KEYS[key].column]
    if KEYS[key].kind is Kind.PREFIX:
        return fits(column, f"{text}*", sqlite=sqlite)
    return fits(column, text, sqlite=sqlite) if KEYS[key].kind is Kind.GLOB else column == text


def is_clause(text: str, *, sqlite: bool) -> ColumnElement[bool]:
    """What `is:` with this word says of a schedule."""
    if text == "missed":
        return _newest(fires.c.status) == _MISSED
    if text == "late":
        on_time = case((fires.c.status == _SENT, fires.c.lag_ms), else_=0)
        lag = case((func.coalesce(fires.c.state, 0).in_(_BAD), 0), else_=on_time)
        return func.coalesce(_newest(lag), 0) > grace_ms(sqlite=sqlite)
    return _IS[text]


def grace_ms(*, sqlite: bool) -> ColumnElement[int]:
    """By how much a fire of a schedule may be late."""
    if sqlite:
        found: ColumnElement[int] = func.json_extract(schedules.c.document, "$.grace_s")
    else:
        found = cast(schedules.c.document, JSON)["grace_s"].as_integer()
    return found * 1000


def _newest(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What the newest fire of a schedule has there, by the order in which they are listed."""
    own = fires.c.schedule_id == schedules.c.id
    newest = select(column).where(own).order_by(fires.c.slot_ms.desc(), fires.c.fire_id.desc())
    return newest.limit(1).correlate(schedules).scalar_subquery()


def holds_exactly(text: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Whether the tags hold this one, case-sensitive."""
    find = func.instr if sqlite else func.strpos
    return find(schedules.c.tags, text) > 0


_IS: Mapping[str, ColumnElement[bool]] = {
    "paused": schedules.c.paused.is_(true()),
    "enabled": schedules.c.enabled.is_(true()),
    "disabled": schedules.c.enabled.is_(false()),
    "failing": schedules.c.consecutive_failures > 0,
    "declared": schedules.c.owner.like("declarative:%"),
    "silent": schedules.c.silent.is_not(None),
}
