"""Documents read field by field. The rule: what is not asked for is an error, as is a wrong type.

Every error names the field by JSON pointer, what is wrong, and what to write instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from ..errors import ScheduleInvalid
from .slots import EARLIEST_S, EPOCH, LATEST_S, utc_text

T = TypeVar("T")
_MISSING = object()
_ISO = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})(?:\.(\d{1,3}))?S)?)?"
)
_PLAIN = re.compile(
    r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m(?!s))?(?:(\d{1,9})(?:\.(\d{1,3}))?s)?"
)


def bounds(what: str, hint: str, pointer: str = "") -> ScheduleInvalid:
    """A value that cannot be."""
    return ScheduleInvalid("schedule.bounds", what, hint=hint, pointer=pointer)


class Fields:
    """A mapping that is read field by field."""

    def __init__(self, value: Any, what: str) -> None:
        if not isinstance(value, Mapping):
            raise bounds(f"{what} is {_kind(value)}", "write an object")
        self._value = value
        self._read: set[str] = set()
        self._known: list[Collection[str]] = []

    def take(self, name: str, read: Callable[[Any], T], default: Any = _MISSING) -> T:
        """One field by its reader; without a default it must be there. null is not there."""
        self._read.add(name)
        value = self._value.get(name)
        if value is None:
            if default is _MISSING:
                raise bounds("it is missing", "add it", f"/{escaped(name)}")
            return default  # type: ignore[no-any-return]  # the caller's own value
        try:
            return read(value)
        except ScheduleInvalid as error:
            pointer = f"/{escaped(name)}"
            own = error.pointer
            raise error.under("" if own.startswith(pointer) else pointer) from error

    def given(self, readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
        """Those of some fields that are there, each by its reader. null is not there."""
        self._known.append(readers)
        there = self._value
        if readers.keys().isdisjoint(there):
            return {}
        return {
            name: self.take(name, read)
            for name, read in readers.items()
            if there.get(name) is not None
        }

    def skip(self, names: Collection[str]) -> None:
        """Fields that were read before."""
        self._known.append(names)

    def done(self) -> None:
        """Refuse what nobody asked for."""
        left = (self._value.keys() - self._read).difference(*self._known)
        for name in self._value:
            if name in left:
                hint = nearest(str(name), self._read.union(*self._known))
                raise bounds("no such field", hint, f"/{escaped(str(name))}")


def nearest(name: str, names: Iterable[str]) -> str:
    """The hint for a field that does not exist."""
    known = sorted(names)
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else f"the fields are {', '.join(known)}"


def escaped(name: str) -> str:
    """A name as part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _kind(value: Any) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number"}
    if value is None:
        return "null"
    return names.get(type(value), "a list" if isinstance(value, list) else "an object")


def text(limit: int) -> Callable[[Any], str]:
    """A text of 1 to `limit` characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise bounds(f"it is {_kind(value)}", "write a text")
        if not 1 <= len(value) <= limit:
            raise bounds(f"it has {len(value)} characters", f"write 1 to {limit}")
        return value

    return read


def choice(*names: str) -> Callable[[Any], str]:
    """One of some words."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise bounds(f"no such choice {str(value)[:40]!r}", f"use one of {', '.join(names)}")
        return value

    return read


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number in bounds."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise bounds(f"it is {_kind(value)}", "write a whole number")
        if not low <= value <= high:
            raise bounds(f"{str(value)[:20]} is outside {low} to {high}", "write one inside")
        return value

    return read


def number(low: float, high: float) -> Callable[[Any], float]:
    """A number in bounds."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise bounds(f"it is {_kind(value)}", "write a number")
        if not low <= value <= high:
            raise bounds(f"{value} is outside {low} to {high}", "write one inside")
        return value

    return read


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise bounds(f"it is {_kind(value)}", "write true or false")
    return value


def many(read: Callable[[Any], T], low: int, high: int) -> Callable[[Any], tuple[T, ...]]:
    """A list; the pointer of an error has the place in it."""

    def read_all(value: Any) -> tuple[T, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise bounds(f"it is {_kind(value)}", "write a list")
        if not low <= len(value) <= high:
            raise bounds(f"it has {len(value)} entries", f"write {low} to {high}")
        found = []
        for place, entry in enumerate(value):
            try:
                found.append(read(entry))
            except ScheduleInvalid as error:
                raise error.under(f"/{place}") from error
        return tuple(found)

    return read_all


def duration_ms(value: Any) -> int:
    """A duration: seconds as a number, ISO 8601 as PT5M, or 1h30m."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LATEST_S:
        return round(value * 1000)
    match = None
    if isinstance(value, str):
        iso = _ISO.fullmatch(value)
        match = iso.groups() if iso else None
        if match is None and (plain := _PLAIN.fullmatch(value)):
            match = (None, *plain.groups())
    if match is None or not any(match):
        raise bounds(f"no duration {str(value)[:40]!r}", "write seconds, PT5M or 1h30m")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match[:5])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return length // timedelta(milliseconds=1) + int((match[5] or "").ljust(3, "0"))


def moment(value: Any) -> datetime:
    """A time in ISO 8601, with or without offset, to the millisecond."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise bounds(f"no time {str(value)[:40]!r}", "write 2026-01-31T09:00:00Z") from error
    if not EARLIEST_S < (at.replace(tzinfo=EPOCH.tzinfo) - EPOCH).total_seconds() < LATEST_S - 1:
        raise bounds(f"{value} is too far away", "write a time from 1900 to 2999")
    return at


def instant_ms(value: Any) -> int:
    """A time with an offset, as milliseconds since the epoch."""
    at = moment(value)
    if at.tzinfo is None:
        raise bounds(f"{value} has no offset from UTC", "write 2026-01-31T09:00:00Z")
    return (at - EPOCH) // timedelta(milliseconds=1)


def local_time(value: Any) -> datetime:
    """A wall time: without offset, to the second."""
    at = moment(value)
    if at.tzinfo is not None or at.microsecond:
        raise bounds(f"{value} is no wall time to the second", "write 2026-01-31T09:00:00")
    return at


def instant_text(at_ms: int) -> str:
    """An instant as it is written."""
    return f"{utc_text(at_ms)}Z"


def seconds(length_ms: int) -> int | float:
    """A duration as it is written: seconds, whole where they are."""
    return length_ms / 1000 if length_ms % 1000 else length_ms // 1000
