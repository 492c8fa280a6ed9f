"""Arguments of a run in a schedule. The rule: what JSON can hold, bounded, and as it was meant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import ScheduleInvalid

MAX_ARGS_BYTES = 64 << 10
MAX_ARGS_DEPTH = 16
_MASKS = ("[redacted]", '…"', " more…")


def arguments(value: Any, kind: type, empty: Any) -> Any:
    """Arguments that JSON can hold, bounded in size and depth."""
    if not isinstance(value, kind):
        name = "a list" if kind is list else "an object"
        raise ScheduleInvalid("schedule.args", "they are something else", hint=f"write {name}")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ScheduleInvalid(
            "schedule.args", "they are no JSON", hint="write JSON values"
        ) from error
    if len(text.encode("utf-8", "replace")) > MAX_ARGS_BYTES:
        raise ScheduleInvalid(
            "schedule.args", f"more than {MAX_ARGS_BYTES} bytes", hint="pass a reference instead"
        )
    if any(mask in text for mask in _MASKS):
        raise ScheduleInvalid(
            "schedule.masked_value", "a value is masked or cut", hint="write the value itself"
        )
    if not _named(value):
        raise ScheduleInvalid(
            "schedule.args", "a name that is no text", hint="write it in quotation marks"
        )
    return _shallow(value) or empty


def _shallow(value: Any) -> Any:
    if _deeper(value, MAX_ARGS_DEPTH):
        raise ScheduleInvalid(
            "schedule.args", f"more than {MAX_ARGS_DEPTH} levels", hint="flatten them"
        )
    return value


def decoded_arguments(value: Any, kind: type, empty: Any) -> Any:
    """Arguments in the bytes of a replica: JSON for certain, and no longer than the row."""
    return _shallow(value) or empty if isinstance(value, kind) else arguments(value, kind, empty)


def _named(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _named(value[name]) for name in value)
    return not isinstance(value, (list, tuple)) or all(map(_named, value))


def _deeper(value: Any, levels: int) -> bool:
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        return False
    return levels == 0 or any(_deeper(each, levels - 1) for each in value)
