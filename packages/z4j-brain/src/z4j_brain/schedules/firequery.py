"""The query of the list of fires. The rule: the grammar of tasks, with keys of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, true
from sqlalchemy import false as sql_false

from ..search import Key, Kind, Node, parse
from ..search.globs import fits, holds
from ..search.keys import STATES
from ..search.spans import spans
from ..search.tree import And, Field, Not, Or, Text
from .firerows import STATUSES, TRIGGERS
from .model import fires, schedules

IS = ("late", "failed", "missed", "ordered", "waiting")
LATE_MS = 60_000
"""What is late in a list of all: the grace that a schedule has unless it says another."""
_ENDED_BADLY = (4, 8)
KEYS: Mapping[str, Key] = {
    "schedule": Key(Kind.GLOB, "name", "name of the schedule, * is a wildcard"),
    "engine": Key(Kind.EXACT, "engine", "engine it fires into"),
    "app": Key(Kind.EXACT, "app", "app and broker it belongs to"),
    "task": Key(Kind.GLOB, "task", "name of the definition it fires"),
    "status": Key(Kind.ENUM, "status", "what became of the fire", STATUSES[1:]),
    "trigger": Key(Kind.ENUM, "trigger", "why it fired", TRIGGERS[1:]),
    "state": Key(Kind.ENUM, "state", "state of its task", STATES),
    "by": Key(Kind.GLOB, "actor", "who ordered it"),
    "lag": Key(Kind.DURATION, "lag_ms", "how long after it was due it was sent"),
    "reason": Key(Kind.TEXT, "reason", "text in the reason"),
    "fire": Key(Kind.PREFIX, "fire_id", "beginning of its id"),
    "is": Key(Kind.ENUM, "", "late (by over a minute), failed, missed, ordered (by hand), …", IS),
}
_OF_SCHEDULE = frozenset({"schedule", "task"})


def where(q: str, now_us: int, *, sqlite: bool) -> ColumnElement[bool]:
    """A query as a clause over fires and the schedules beside them.

    Raises:
        QueryError: it cannot be meant.
    """

    def sql(node: Node) -> ColumnElement[bool]:
        match node:
            case Not(item):
                return func.coalesce(sql(item), sql_false()).is_(False)
            case And(items):
                return and_(true(), *map(sql, items))
            case Or(items):
                return or_(*map(sql, items))
            case Text(text):
                said = (schedules.c.name, schedules.c.task, fires.c.reason, fires.c.actor)
                return or_(*(holds(column, text, sqlite=sqlite) for column in said))
            case Field():
                return _LEAVES[KEYS[node.key].kind](node, now_us, sqlite)

    return sql(parse(q, KEYS))


def _column(node: Field) -> ColumnElement[Any]:
    table = schedules if node.key in _OF_SCHEDULE else fires
    return table.c[KEYS[node.key].column]


def _enum(node: Field, _now_us: int, _sqlite: bool) -> ColumnElement[bool]:  # noqa: FBT001 - one shape for all leaves
    texts = [value.text for value in node.values]
    if node.key == "is":
        return or_(*(_IS[text] for text in texts))
    names = {"status": STATUSES, "trigger": TRIGGERS, "state": STATES}[node.key]
    return _column(node).in_([names.index(text) for text in texts])


def _text(node: Field, _now_us: int, sqlite: bool) -> ColumnElement[bool]:  # noqa: FBT001
    column, kind = _column(node), KEYS[node.key].kind
    texts = [value.text for value in node.values]
    if kind is Kind.EXACT:
        return column.in_(texts)
    if kind is Kind.TEXT:
        return or_(*(holds(column, text, sqlite=sqlite) for text in texts))
    if kind is Kind.PREFIX:
        return or_(*(fits(column, f"{text}*", sqlite=sqlite) for text in texts))
    return or_(*(fits(column, text, sqlite=sqlite) for text in texts))


def _ordered(node: Field, now_us: int, _sqlite: bool) -> ColumnElement[bool]:  # noqa: FBT001
    column = _column(node)
    parts = []
    for span in spans(node, now_us, UTC, KEYS):
        # Half-open in microseconds: the first whole millisecond inside, and the first behind it.
        least = None if span.least is None else column >= -(-span.least // 1000)
        below = None if span.below is None else column < -(-span.below // 1000)
        parts.append(and_(fires.c.sent.is_not(None), *(p for p in (least, below) if p is not None)))
    return or_(*parts)


_LEAVES: Mapping[Kind, Callable[[Field, int, bool], ColumnElement[bool]]] = {
    Kind.ENUM: _enum, Kind.DURATION: _ordered, Kind.EXACT: _text, Kind.TEXT: _text,
    Kind.PREFIX: _text, Kind.GLOB: _text,
}  # fmt: skip
_IS: Mapping[str, ColumnElement[bool]] = {
    "late": and_(fires.c.sent.is_not(None), fires.c.lag_ms > LATE_MS),
    "failed": or_(fires.c.status.in_((7, 8)), fires.c.state.in_(_ENDED_BADLY)),
    "missed": fires.c.status.in_((5, 6)),
    "ordered": fires.c.trigger.in_((2, 4, 5)),
    "waiting": fires.c.status.in_((1, 2)),
}
