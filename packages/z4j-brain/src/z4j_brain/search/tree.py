"""What a query means, as a tree of immutable nodes. The rule: a node keeps what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import Problem

TIME_KEYS = frozenset({"at", "started", "finished", "eta", "age"})
ARGS_KEYS = frozenset({"arg", "args", "result", "error"})


class QueryError(Problem):
    """A query that cannot be meant. `column` counts characters from 0."""

    status = 422

    def __init__(self, code: str, column: int, detail: str, hint: str | None = None) -> None:
        super().__init__(code, detail, column=column, hint=hint, field="q")
        self.column = column
        self.hint = hint


class Value(NamedTuple):
    """One value as typed: a scalar (`text`), or a range when `is_range` (`text` .. `upper`)."""

    text: str
    quoted: bool = False
    is_range: bool = False
    upper: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Free text."""

    text: str
    column: int = 0


@dataclass(frozen=True, slots=True)
class Field:
    """`key.path:op value, value`; any one of the values is enough. `op` "" means equal or like."""

    key: str
    path: tuple[str, ...]
    op: str
    values: tuple[Value, ...]
    column: int = 0


@dataclass(frozen=True, slots=True)
class Not:
    item: Node


@dataclass(frozen=True, slots=True)
class And:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    items: tuple[Node, ...]


Node = Text | Field | Not | And | Or
EMPTY = And(())


def as_json(node: Node) -> list[Any]:
    """The tree as nested arrays, the form of spec/query/cases.json."""
    match node:
        case Text(text):
            return ["text", text]
        case Field(key, path, op, values):
            return ["field", key, list(path), op, [_value_json(value) for value in values]]
        case Not(item):
            return ["not", as_json(item)]
        case And(items):
            return ["and", *map(as_json, items)]
        case Or(items):
            return ["or", *map(as_json, items)]


def _value_json(value: Value) -> str | dict[str, Any]:
    if value.is_range:
        return {"from": value.text, "to": value.upper}
    return {"quoted": value.text} if value.quoted else value.text


def terms(node: Node) -> Iterator[Text | Field]:
    """Every leaf, left to right."""
    match node:
        case Text() | Field():
            yield node
        case Not(item):
            yield from terms(item)
        case And(items) | Or(items):
            for each in items:
                yield from terms(each)


def has_time(node: Node) -> bool:
    """Whether the query itself speaks of time, so that the page's range is not added."""
    return any(isinstance(term, Field) and term.key in TIME_KEYS for term in terms(node))


def uses_args(node: Node) -> Field | None:
    """The first term that reads arguments, results or error texts."""
    for term in terms(node):
        if isinstance(term, Field) and term.key in ARGS_KEYS:
            return term
    return None
