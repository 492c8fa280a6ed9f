"""Which invocation is which. The rule: equal task, args and kwargs have one digest everywhere.

An agent fires at level `control` only what is registered: invocations whose digest it computed
itself, from schedules declared in code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ..errors import ScheduleInvalid, WireError
from ..wire.codec import pack

_ARRAY_OF_3 = b"\x93"


def invocation(task: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """The SHA-256 of `[task, args, kwargs]` as msgpack; names of mappings are sorted.

    Raises:
        ScheduleInvalid: schedule.args, with the pointer of what is no JSON or beyond 64 bits
    """
    parts = (pack(task), _packed(args, "/args"), _packed(kwargs, "/kwargs"))
    return sha256(_ARRAY_OF_3 + b"".join(parts)).digest()


def _packed(value: Any, pointer: str) -> bytes:
    try:
        return pack(_sorted(value))
    except (WireError, TypeError) as error:
        raise ScheduleInvalid(
            "schedule.args",
            "an integer beyond 64 bits, or no JSON",
            hint="write it as a text",
            pointer=pointer,
        ) from error


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise TypeError("a name that is no text")
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_sorted(each) for each in value]
    return value
