"""Completing a query. The rule: what is offered is a key that exists or a value that occurs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_

from ..search.keys import KEYS, ORDERED, Kind
from ..search.window import window
from . import store
from .model import tasks
from .service import Ask

SAMPLE = 5_000
OFFERED = 20
_OPS = ("=", ">", ">=", "<", "<=")
_STOP = ' \t"()'


def schema() -> dict[str, Any]:
    """Every key with its kind, its values where they are few, and its sentence."""
    return {
        "keys": [
            {"name": name, "kind": str(key.kind), "doc": key.doc}
            | ({"values": list(key.values)} if key.values else {})
            for name, key in KEYS.items()
        ]
    }


def complete(conn: Connection, ask: Ask, pos: int) -> dict[str, Any]:
    """What could stand at `pos` of the query, most frequent first."""
    before = ask.q[:pos]
    start = max(before.rfind(char) for char in _STOP) + 1
    word = before[start:]
    lead = len(word) - len(word.lstrip("-"))
    start, word = start + lead, word[lead:]
    key, colon, value = word.partition(":")
    if not colon:
        return _answer(start, pos, _keys(word))
    if key not in KEYS:
        return _answer(start, pos, [])
    last = value.rpartition(",")[2]
    return _answer(pos - len(last), pos, _values(conn, ask, key, last))


def _answer(start: int, end: int, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"from": start, "to": end, "items": items[:OFFERED]}


def _keys(word: str) -> list[dict[str, Any]]:
    return [
        _item(f"{name}." if key.kind is Kind.ARG else f"{name}:", "key", key.doc)
        for name, key in KEYS.items()
        if name.startswith(word)
    ]


def _values(conn: Connection, ask: Ask, name: str, part: str) -> list[dict[str, Any]]:
    key = KEYS[name]
    if key.values:
        return [_item(each, "value", "") for each in key.values if each.startswith(part)]
    if key.kind in ORDERED:
        return [_item(op, "op", key.doc) for op in _OPS if op.startswith(part)]
    if key.kind not in (Kind.EXACT, Kind.GLOB) or name == "tag":
        return []
    from_us, _to = window(ask.range or "24h", ask.now_us)
    where = and_(tasks.c.project_id == ask.project_id, tasks.c.at >= from_us)
    found = store.common(conn, where, key.column, SAMPLE)
    return [
        _item(value if _is_bare(value) else f'"{value}"', "value", "", n)
        for value, n in found
        if part.lower() in value.lower()
    ]


def _is_bare(value: str) -> bool:
    return not any(char in value for char in ' \t"(),\\')


def _item(text: str, kind: str, hint: str, count: int | None = None) -> dict[str, Any]:
    return {"text": text, "kind": kind, "count": count, "hint": hint}
