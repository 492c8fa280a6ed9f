"""One row against the tree. The rule: it says what the SQL of `compile_query` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .compile import DEAD, TEXT_COLUMNS, Scope
from .globs import ascii_lower, glob_matches
from .keys import KEYS, STATES, Kind
from .paths import leaf, leaf_fits, places
from .spans import spans
from .tree import And, Field, Node, Not, Or, Text

Row = Mapping[str, Any]
"""Columns of `tasks`, and `has_children` when a query asks for it."""


def matches(row: Row, node: Node, scope: Scope) -> bool:
    """Whether the row belongs to the query; the caller has refused hidden terms already."""
    match node:
        case Not(item):
            return not matches(row, item, scope)
        case And(items):
            return all(matches(row, item, scope) for item in items)
        case Or(items):
            return any(matches(row, item, scope) for item in items)
        case Text():
            return _free(row, node.text, scope)
        case Field():
            return _LEAVES[KEYS[node.key].kind](row, node, scope)


def _free(row: Row, words: str, scope: Scope) -> bool:
    if scope.args_visible:
        return words.lower() in row["search"]
    return ascii_lower(words) in ascii_lower(row["name"] or "")


def _enum(row: Row, node: Field, scope: Scope) -> bool:
    names = [value.text for value in node.values]
    if node.key == "state":
        return STATES[row["state"]] in names
    rules = _IS if node.key == "is" else _HAS
    return any(rules[name](row, scope) for name in names)


def _exact(row: Row, node: Field, _scope: Scope) -> bool:
    return row[KEYS[node.key].column] in [value.text for value in node.values]


def _glob(row: Row, node: Field, _scope: Scope) -> bool:
    found = row[KEYS[node.key].column]
    if found is None:
        return False
    texts = [found]
    if node.key == "tag":
        texts = [text for name, value in found.items() for text in (name, f"{name}={value}")]
    return any(
        text == value.text if value.quoted else glob_matches(value.text, text)
        for value in node.values
        for text in texts
    )


def _prefix(row: Row, node: Field, _scope: Scope) -> bool:
    found = row[KEYS[node.key].column]
    if found is None:
        return False
    if node.op == "=":
        return found in [value.text for value in node.values]
    return any(found.startswith(value.text) for value in node.values)


def _ordered(row: Row, node: Field, scope: Scope) -> bool:
    found = row[KEYS[node.key].column]
    if node.key == "age" and found is not None:
        found = scope.now_us - found
    return any(span.holds(found) for span in spans(node, scope.now_us, scope.zone))


def _arg(row: Row, node: Field, scope: Scope) -> bool:
    for where, path, only in places(node.path, scope.bound(node.path[0])):
        if only is not None and only != (row["engine"], row["name"]):
            continue
        found = leaf(row[where], path)
        if any(leaf_fits(found, node.op, value) for value in node.values):
            return True
    return False


def _text(row: Row, node: Field, _scope: Scope) -> bool:
    texts = [ascii_lower(row[name] or "") for name in TEXT_COLUMNS[node.key]]
    return any(ascii_lower(value.text) in text for value in node.values for text in texts)


def _flag(bit: int) -> Callable[[Row, Scope], bool]:
    names = ("args_flags", "kwargs_flags", "result_flags")
    return lambda row, _scope: any((row[name] or 0) & bit for name in names)


def _present(name: str) -> Callable[[Row, Scope], bool]:
    return lambda row, _scope: row[name] is not None


_IS: dict[str, Callable[[Row, Scope], bool]] = {
    "dead": lambda row, _scope: bool(row["flags"] & DEAD),
    "retryable": lambda row, scope: (row["replayable_until"] or 0) > scope.now_us,
    "redacted": _flag(1),
    "truncated": _flag(2),
    "opaque": _flag(4),
    "fire": _present("fire_id"),
    "retry": _present("retry_of"),
    "root": lambda row, _scope: row["parent"] is None,
}
_HAS: dict[str, Callable[[Row, Scope], bool]] = {
    "args": lambda row, _scope: row["args"] is not None or row["kwargs"] is not None,
    "result": _present("result"),
    "traceback": _present("exc_type"),
    "parent": _present("parent"),
    "children": lambda row, _scope: bool(row.get("has_children")),
    "trace": _present("trace"),
}
_LEAVES: dict[Kind, Callable[[Row, Field, Scope], bool]] = {
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
