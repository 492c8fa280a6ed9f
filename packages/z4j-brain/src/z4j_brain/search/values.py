"""Reading scalars: durations, times, numbers. The rule: a value is checked where it is parsed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from .keys import Key, Kind, nearest
from .tree import QueryError, Value

UNIT_US = {
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
MAX_GLOB = 128
LONGEST_US = 200 * 366 * UNIT_US["d"]
SHORTEST = 3
"""Characters of a text an index of trigrams can find."""
_DURATION = re.compile(r"([0-9]{1,9})(ms|[smhdw])", re.ASCII)
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?(Z)?)?", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,60}(?:\.[0-9]{1,60})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_INT = re.compile(r"-?[0-9]{1,9}", re.ASCII)


def duration_us(text: str) -> tuple[int, int]:
    """Microseconds of `90s` and of one of its units.

    Raises:
        ValueError: not digits and one of ms s m h d w.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("a duration is digits and a unit: 250ms 2s 5m 1h 7d 2w")
    unit = UNIT_US[found[2]]
    if int(found[1]) * unit > LONGEST_US:
        raise ValueError("a duration is at most 200 years")
    return int(found[1]) * unit, unit


def instant_us(text: str, now_us: int, zone: tzinfo) -> tuple[int, int]:
    """First and last-plus-one microsecond of what `text` names: a day, a minute, a second.

    Raises:
        ValueError: neither a date, a date with a time, nor `now` with an offset.
    """
    if text == "now":
        return now_us, now_us + 1
    if text.startswith(("now-", "now+")):
        shift = duration_us(text[4:])[0] * (-1 if text[3] == "-" else 1)
        return now_us + shift, now_us + shift + 1
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("a time is 2026-11-21, 2026-11-21T22:00, or now-1h")
    year, month, day, hour, minute, second, utc = found.groups()
    start = datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        tzinfo=UTC if utc else zone,
    )
    step = timedelta(seconds=1) if second else timedelta(minutes=1) if hour else timedelta(days=1)
    return _us(start), _us(start + step)


def _us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def number(text: str) -> Decimal | None:
    """The exact number `text` spells, or None."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def strict_json(value: Value) -> Any:
    """What `=value` means for an argument: a JSON scalar; quoted text is a string.

    Raises:
        ValueError: not a JSON scalar.
    """
    if value.quoted:
        return value.text
    if (exact := number(value.text)) is not None:
        return exact
    if value.text in ("true", "false", "null"):
        return json.loads(value.text)
    raise ValueError("after = stands a number, true, false, null or a quoted text")


def check_value(key: Key, name: str, op: str, value: Value, column: int) -> None:
    """Refuse a value its key cannot have.

    Raises:
        QueryError: at the value's column.
    """
    try:
        _CHECKS[key.kind](key, op, value)
    except _Short as error:
        raise QueryError("query.short_text", column, str(error)) from error
    except _Nearest as error:
        detail = f"{name} is one of {', '.join(key.values)}"
        raise QueryError("query.syntax", column, detail, error.word) from error
    except (ValueError, OverflowError) as error:
        raise QueryError("query.syntax", column, f"{name}: {error}") from error


class _Short(Exception):
    """Too few characters to be found by an index."""


class _Nearest(Exception):
    def __init__(self, word: str | None) -> None:
        super().__init__(word)
        self.word = word


def _enum(key: Key, _op: str, value: Value) -> None:
    if value.text not in key.values:
        raise _Nearest(nearest(value.text, key.values))


def _exact(_key: Key, _op: str, value: Value) -> None:
    if len(value.text) > MAX_GLOB:
        raise ValueError(f"at most {MAX_GLOB} characters")


def _prefix(key: Key, _op: str, value: Value) -> None:
    if len(value.text) < key.at_least:
        raise _Short(f"at least {key.at_least} characters of it")


def _text(_key: Key, _op: str, value: Value) -> None:
    if len(value.text) < SHORTEST:
        raise _Short("text to search for has at least 3 characters")


def _scalars(op: str, value: Value) -> list[str]:
    """The one or two scalars of a value that has an order."""
    if not value.is_range:
        return [value.text]
    if op:
        raise ValueError(f"a range stands alone, without {op}")
    ends = [text for text in (value.text, value.upper) if text]
    if not ends:
        raise ValueError("a range has at least one end")
    return ends


def _int(_key: Key, op: str, value: Value) -> None:
    for text in _scalars(op, value):
        if not _INT.fullmatch(text):
            raise ValueError("a whole number")


def _duration(_key: Key, op: str, value: Value) -> None:
    for text in _scalars(op, value):
        duration_us(text)


def _time(_key: Key, op: str, value: Value) -> None:
    for text in _scalars(op, value):
        instant_us(text, 0, UTC)


def _arg(_key: Key, op: str, value: Value) -> None:
    if op == "=":
        strict_json(value)
    elif op or value.is_range:
        for text in _scalars(op, value):
            if number(text) is None:
                raise ValueError(f"{op or '..'} compares numbers")
    elif len(value.text) > MAX_GLOB:
        raise ValueError(f"at most {MAX_GLOB} characters")


_CHECKS = {
    Kind.ENUM: _enum,
    Kind.EXACT: _exact,
    Kind.GLOB: _exact,
    Kind.PREFIX: _prefix,
    Kind.INT: _int,
    Kind.DURATION: _duration,
    Kind.TIME: _time,
    Kind.ARG: _arg,
    Kind.TEXT: _text,
}
