"""`arg.<path>`: one leaf of the arguments. The rule: numbers are compared exactly, everywhere.

SQLite is taught the Python judge as a function; PostgreSQL finds the leaf as jsonb by a function
that answers NULL for text that is no JSON (a cut preview).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Text,
    and_,
    case,
    cast,
    event,
    func,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Numeric

from .globs import glob_matches, like_escape
from .tree import Field, Value
from .values import number, strict_json

MISSING = object()
# Parallel unsafe: its EXCEPTION block is a subtransaction, which no parallel plan may start.
_LEAF = """
CREATE OR REPLACE FUNCTION z4j_leaf(doc text, path text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE AS $$
DECLARE here jsonb; name text;
BEGIN
  here := doc::jsonb;
  FOREACH name IN ARRAY path LOOP
    IF jsonb_typeof(here) = 'object' THEN here := here -> name;
    ELSIF jsonb_typeof(here) = 'array' AND name ~ '^[0-9]+$' THEN here := here -> name::int;
    ELSE RETURN NULL;
    END IF;
  END LOOP;
  RETURN here;
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$
"""


def teach(engine: Engine) -> None:
    """Give the database what queries on arguments need; before the first connection is used."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _register)
        return
    with engine.begin() as conn:
        conn.exec_driver_sql("SELECT pg_advisory_xact_lock(7234017)")
        conn.exec_driver_sql(_LEAF)


def _register(raw: Any, _record: object) -> None:
    raw.create_function("z4j_arg", 2, _sqlite_judge, deterministic=True)


def leaf(document: str | None, path: Sequence[str]) -> Any:
    """The value at `path` of a JSON text, numbers as Decimal; MISSING when there is none."""
    if document is None:
        return MISSING
    try:
        here = json.loads(document, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return MISSING
    for name in path:
        if isinstance(here, dict):
            here = here.get(name, MISSING)
        elif isinstance(here, list) and name.isascii() and name.isdigit():
            here = here[int(name)] if int(name) < len(here) else MISSING
        else:
            return MISSING
    return here


def _refuse(_name: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def leaf_fits(found: Any, op: str, value: Value) -> bool:
    """Whether one leaf is what `op value` asks for."""
    if found is MISSING or isinstance(found, dict | list):
        return False
    if value.is_range:
        return isinstance(found, Decimal) and _between(found, value)
    if op == "=":
        want = strict_json(value)
        return type(found) is type(want) and bool(found == want)
    if op:
        exact = number(value.text)
        return isinstance(found, Decimal) and exact is not None and _COMPARE[op](found, exact)
    if isinstance(found, Decimal):
        return not value.quoted and found == number(value.text)
    return _glob(_shown(found), value)


def _between(found: Decimal, value: Value) -> bool:
    lower, upper = number(value.text), number(value.upper)
    return (lower is None or found >= lower) and (upper is None or found <= upper)


def _shown(found: Any) -> str:
    return found if isinstance(found, str) else {True: "true", False: "false", None: "null"}[found]


def _glob(text: str, value: Value) -> bool:
    return text == value.text if value.quoted else glob_matches(value.text, text)


_COMPARE = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


@lru_cache(maxsize=256)
def _spec(text: str) -> tuple[list[str], str, Value]:
    path, op, value = json.loads(text)
    return path, op, Value(*value)


def _sqlite_judge(document: str | None, spec: str) -> int:
    path, op, value = _spec(spec)
    return int(leaf_fits(leaf(document, path), op, value))


Place = tuple[str, tuple[str, ...], tuple[str, str] | None]


def places(path: tuple[str, ...], positions: Iterable[tuple[str, str, int]]) -> list[Place]:
    """Where `arg.<path>` may stand: (args or kwargs, path, only for this (engine, task))."""
    first = path[0]
    if first.isascii() and first.isdigit():
        return [("args", path, None), ("kwargs", path, None)]
    found: list[Place] = [("kwargs", path, None)]
    for engine, task, index in positions:
        found.append(("args", (str(index), *path[1:]), (engine, task)))
    return found


def leaf_clause(
    column: ColumnElement[Any], path: tuple[str, ...], field: Field, *, sqlite: bool
) -> ColumnElement[bool]:
    """Any value of `field` at `path` of `column`, as SQL."""
    if sqlite:
        return or_(*(_taught(column, path, field.op, value) for value in field.values))
    found = func.z4j_leaf(column, cast(list(path), ARRAY(Text)), type_=JSONB)
    return or_(*(_pg_fits(found, field.op, value) for value in field.values))


def _taught(
    column: ColumnElement[Any], path: tuple[str, ...], op: str, value: Value
) -> ColumnElement[bool]:
    spec = json.dumps([list(path), op, list(value)])
    return cast_bool(func.z4j_arg(column, spec) == 1)


def _pg_fits(found: Any, op: str, value: Value) -> ColumnElement[bool]:
    kind = func.jsonb_typeof(found)
    text = found.op("#>>")(cast([], ARRAY(Text)))
    amount = case((kind == "number", cast(text, Numeric)), else_=None)
    if value.is_range:
        lower = amount >= number(value.text) if value.text else true()
        return and_(lower, amount <= number(value.upper) if value.upper else true())
    if op == "=":
        return _pg_equal(kind, text, amount, value)
    if op:
        return cast_bool(amount.op(op, is_comparison=True)(number(value.text)))
    plain = _pg_text(kind, text, value)
    exact = None if value.quoted else number(value.text)
    return plain if exact is None else or_(amount == exact, plain)


def _pg_equal(kind: Any, text: Any, amount: Any, value: Value) -> ColumnElement[bool]:
    want = strict_json(value)
    if isinstance(want, Decimal):
        return cast_bool(amount == want)
    if want is None:
        return cast_bool(kind == "null")
    if isinstance(want, bool):
        return and_(kind == "boolean", text == value.text)
    return and_(kind == "string", text == want)


def _pg_text(kind: Any, text: Any, value: Value) -> ColumnElement[bool]:
    scalar = kind.in_(("string", "boolean", "null"))
    shown = case((kind == "null", "null"), else_=text)
    if value.quoted or "*" not in value.text:
        return and_(scalar, shown == value.text)
    return and_(scalar, shown.like(like_escape(value.text).replace("*", "%"), escape="\\"))


def cast_bool(clause: Any) -> ColumnElement[bool]:
    """The clause, for the type checker: a comparison of untyped SQL is a boolean."""
    typed: ColumnElement[bool] = clause
    return typed
