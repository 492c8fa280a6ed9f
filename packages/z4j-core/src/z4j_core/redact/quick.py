"""What most tasks have: short plain values without a secret. The rule: the walk's text, or none.

A walk counts, bounds and masks as it goes. Where a value is small, built in and open throughout,
its text is known without that; at the first doubt there is no answer, and the walk is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from .keys import Verdict
from .text import masked

_MAX_TEXT = 600
"""Far below where a walk of `MAX_ARGS_BYTES` begins to cut, whatever else it shows."""
_MAX_ITEMS = 12
_DEPTH = 3
_SHORT = 5
_MAX_KEY = 13
"""Shorter text is shown as it is: no key, or no text of a key, that a walk would mask."""
_CARD_MIN = 10**12
_PAIR = 2
_WORDS = {None: "null", True: "true", False: "false"}
Judge = Mapping[str, Verdict]


def plain_args(args: Any, params: Sequence[str], judge: Judge) -> str | None:
    """Text of positional arguments under the names of their parameters."""
    kind = type(args)
    if (kind is not tuple and kind is not list) or len(args) > _MAX_ITEMS:
        return None
    if not params:
        return plain(args, judge)
    parts = []
    known = len(params)
    for index, value in enumerate(args):
        if index < known and judge[params[index]]:
            return None
        text = plain(value, judge, 1)
        if text is None:
            return None
        parts.append(text)
    return _bounded(f"[{','.join(parts)}]")


def plain(value: Any, judge: Judge, depth: int = 0) -> str | None:
    """JSON text of a small open value; None where only a walk can tell."""
    kind = type(value)
    if kind is str:
        return _string(value, judge)
    if kind is int:
        return str(value) if -_CARD_MIN < value < _CARD_MIN else None
    if value is None or kind is bool:
        return _WORDS[value]
    if kind is float:
        text = repr(value)
        return text if text[-1].isdigit() else None
    if depth >= _DEPTH:
        return None
    if kind is dict:
        return _mapping(value, judge, depth)
    if kind is list or kind is tuple:
        return _sequence(value, judge, depth)
    return None


def _string(text: str, judge: Judge) -> str | None:
    if len(text) > _MAX_TEXT or not text.isascii():
        return None
    if len(text) >= _SHORT and masked(text, judge) is not text:
        return None
    piece: str = encode_basestring(text)
    return piece


def _mapping(value: dict[Any, Any], judge: Judge, depth: int) -> str | None:
    if len(value) > _MAX_ITEMS:
        return None
    parts = []
    for key, held in value.items():
        # `value` may be named by a field beside it.
        if type(key) is not str or len(key) >= _MAX_KEY or not key.isascii() or key == "value":
            return None
        if judge[key]:
            return None
        text = plain(held, judge, depth + 1)
        if text is None:
            return None
        parts.append(f"{encode_basestring(key)}:{text}")
    return _bounded(f"{{{','.join(parts)}}}")


def _sequence(value: Sequence[Any], judge: Judge, depth: int) -> str | None:
    count = len(value)
    if count > _MAX_ITEMS:
        return None
    if count == _PAIR and type(value[0]) is str and (len(value[0]) > _MAX_TEXT or judge[value[0]]):
        return None  # the first may name the second
    parts = []
    for each in value:
        text = plain(each, judge, depth + 1)
        if text is None:
            return None
        parts.append(text)
    return _bounded(f"[{','.join(parts)}]")


def _bounded(text: str) -> str | None:
    return text if len(text) <= _MAX_TEXT else None
