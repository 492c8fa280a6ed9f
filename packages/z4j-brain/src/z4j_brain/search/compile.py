"""Tree to SQL. The rule: a row is selected exactly when `matches` says so.

Negation is pushed down to the leaves, where `IS NOT TRUE` keeps a missing value from hiding a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Table,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
)

from . import paths
from .globs import fits, glob_escape, has_prefix, holds, like_escape
from .keys import KEYS, STATES, Kind
from .paths import cast_bool
from .spans import Span, spans
from .tree import And, Field, Node, Not, Or, QueryError, Text, Value, uses_args

DEAD = 4
"""Flag of a task that its broker gave up."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query is judged in: the table, the time, the viewer.

    `positions` maps (engine, task) to the names of its positional parameters.
    """

    table: Table
    sqlite: bool
    now_us: int
    zone: tzinfo = UTC
    args_visible: bool = True
    positions: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def bound(self, name: str) -> list[tuple[str, str, int]]:
        """(engine, task, index) of each positional parameter called `name`."""
        return [
            (engine, task, params.index(name))
            for (engine, task), params in self.positions.items()
            if name in params
        ]


def compile_query(node: Node, scope: Scope) -> ColumnElement[bool]:
    """The tree as a clause over `scope.table`.

    Raises:
        QueryError: it reads arguments and the viewer may not see them.
    """
    refuse_hidden(node, args_visible=scope.args_visible)
    return _sql(node, scope, positive=True)


def refuse_hidden(node: Node, *, args_visible: bool) -> None:
    """Refuse to be an oracle: who may not see arguments may not ask about them.

    Raises:
        QueryError: `query.args_hidden`.
    """
    if not args_visible and (hidden := uses_args(node)):
        detail = "arguments, results and error texts are not visible to you"
        raise QueryError("query.args_hidden", hidden.column, detail)


def _sql(node: Node, scope: Scope, *, positive: bool) -> ColumnElement[bool]:
    match node:
        case Not(item):
            return _sql(item, scope, positive=not positive)
        case And(items) | Or(items):
            parts = [_sql(item, scope, positive=positive) for item in items]
            if not parts:
                return true() if positive else false()
            return and_(*parts) if isinstance(node, And) == positive else or_(*parts)
        case _:
            clause = _leaf(node, scope)
    return clause if positive else _is_not_true(clause)


def _leaf(node: Text | Field, scope: Scope) -> ColumnElement[bool]:
    if isinstance(node, Text):
        return _free(node.text, scope)
    return _LEAVES[KEYS[node.key].kind](node, scope)


def _is_not_true(clause: ColumnElement[bool]) -> ColumnElement[bool]:
    return cast_bool(func.coalesce(clause, false()).is_(false()))


def _free(words: str, scope: Scope) -> ColumnElement[bool]:
    if not scope.args_visible:
        return holds(scope.table.c.name, words, sqlite=scope.sqlite)
    if scope.sqlite:
        found = text(
            "tasks.rid IN (SELECT rowid FROM tasks_fts WHERE search GLOB :needle)"
        ).bindparams(bindparam("needle", f"*{glob_escape(words.lower())}*", unique=True))
        return cast_bool(found.self_group())
    pattern = f"%{like_escape(words.lower())}%"
    return scope.table.c.search.like(pattern, escape="\\")


def _enum(node: Field, scope: Scope) -> ColumnElement[bool]:
    names = [value.text for value in node.values]
    if node.key == "state":
        return scope.table.c.state.in_([STATES.index(name) for name in names])
    rules = _IS if node.key == "is" else _HAS
    return or_(*(rules[name](scope.table.c, scope) for name in names))


def _exact(node: Field, scope: Scope) -> ColumnElement[bool]:
    column = scope.table.c[KEYS[node.key].column]
    return column.in_([value.text for value in node.values])


def _glob(node: Field, scope: Scope) -> ColumnElement[bool]:
    if node.key == "tag":
        return or_(*(_tag(value, scope) for value in node.values))
    column = scope.table.c[KEYS[node.key].column]
    return or_(*(_like(column, value, scope) for value in node.values))


def _like(column: Any, value: Value, scope: Scope) -> ColumnElement[bool]:
    return column == value.text if value.quoted else fits(column, value.text, sqlite=scope.sqlite)


def _tag(value: Value, scope: Scope) -> ColumnElement[bool]:
    each = func.json_each if scope.sqlite else func.jsonb_each_text
    rows = each(scope.table.c.tags).table_valued("key", "value", name="tag_")
    both = rows.c.key + "=" + rows.c.value
    return exists(
        select(1)
        .select_from(rows)
        .where(or_(_like(rows.c.key, value, scope), _like(both, value, scope)))
    )


def _prefix(node: Field, scope: Scope) -> ColumnElement[bool]:
    column = scope.table.c[KEYS[node.key].column]
    if node.op == "=":
        return column.in_([value.text for value in node.values])
    return or_(*(has_prefix(column, value.text) for value in node.values))


def _ordered(node: Field, scope: Scope) -> ColumnElement[bool]:
    column: ColumnElement[Any] = scope.table.c[KEYS[node.key].column]
    if node.key == "age":
        column = literal(scope.now_us, BigInteger) - column
    found = spans(node, scope.now_us, scope.zone)
    return or_(*(_within(column, span) for span in found))


def _within(column: Any, span: Span) -> ColumnElement[bool]:
    parts = []
    if span.least is not None:
        parts.append(column >= span.least)
    if span.below is not None:
        parts.append(column < span.below)
    return and_(*parts)


def _arg(node: Field, scope: Scope) -> ColumnElement[bool]:
    columns = scope.table.c
    found = []
    for where, path, only in paths.places(node.path, scope.bound(node.path[0])):
        clause = paths.leaf_clause(columns[where], path, node, sqlite=scope.sqlite)
        if only is not None:
            clause = and_(columns.engine == only[0], columns.name == only[1], clause)
        found.append(clause)
    return or_(*found)


def _text(node: Field, scope: Scope) -> ColumnElement[bool]:
    columns = [scope.table.c[name] for name in TEXT_COLUMNS[node.key]]
    return or_(
        *(
            holds(column, value.text, sqlite=scope.sqlite)
            for value in node.values
            for column in columns
        )
    )


TEXT_COLUMNS = {
    "args": ("args", "kwargs"),
    "error": ("exc_type", "exc_message"),
    "exc": ("exc_type",),
    "result": ("result",),
}
_Rule = Callable[[Any, Scope], ColumnElement[bool]]


def _flag(bit: int) -> _Rule:
    def rule(c: Any, _scope: Scope) -> ColumnElement[bool]:
        found = [
            column.op("&")(bit) != 0 for column in (c.args_flags, c.kwargs_flags, c.result_flags)
        ]
        return or_(*found)

    return rule


def _present(name: str) -> _Rule:
    return lambda c, _scope: cast_bool(c[name].is_not(None))


def _children(c: Any, scope: Scope) -> ColumnElement[bool]:
    child = scope.table.alias("child")
    return exists(select(1).where(child.c.project_id == c.project_id, child.c.parent == c.task_id))


_IS: dict[str, _Rule] = {
    "dead": lambda c, _scope: cast_bool(c.flags.op("&")(DEAD) != 0),
    "retryable": lambda c, scope: cast_bool(c.replayable_until > scope.now_us),
    "redacted": _flag(1),
    "truncated": _flag(2),
    "opaque": _flag(4),
    "fire": _present("fire_id"),
    "retry": _present("retry_of"),
    "root": lambda c, _scope: cast_bool(c.parent.is_(None)),
}
_HAS: dict[str, _Rule] = {
    "args": lambda c, _scope: or_(c.args.is_not(None), c.kwargs.is_not(None)),
    "result": _present("result"),
    "traceback": _present("exc_type"),
    "parent": _present("parent"),
    "children": _children,
    "trace": _present("trace"),
}
_LEAVES: dict[Kind, Callable[[Field, Scope], ColumnElement[bool]]] = {
    Kind.ENUM: _enum,
    Kind.EXACT: _exact,
    Kind.GLOB: _glob,
    Kind.PREFIX: _prefix,
    Kind.INT: _ordered,
    Kind.DURATION: _ordered,
    Kind.TIME: _ordered,
    Kind.ARG: _arg,
    Kind.TEXT: _text,
}
