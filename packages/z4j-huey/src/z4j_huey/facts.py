"""From what Huey knows to plain facts. The rule: what others add to the arguments is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from huey.utils import normalize_time
from z4j_core import EventKind

ENDINGS: Mapping[str, tuple[EventKind, str | None]] = {
    "complete": (EventKind.SUCCEEDED, None),
    "error": (EventKind.FAILED, None),
    "timeout": (EventKind.FAILED, "timeout"),
    "locked": (EventKind.FAILED, "locked"),
    "rate-limited": (EventKind.FAILED, "rate_limited"),
    "canceled": (EventKind.CANCELLED, "skipped"),
    "retrying": (EventKind.RETRYING, None),
}
"""What becomes of an attempt by Huey's signal; a later one of the same attempt counts more."""
_SHIM = "djtasks.run"
_SHIMMED = 3
_STRANGE = "sentry_headers"


class Call(NamedTuple):
    """What a task calls, by its name in the registry."""

    task: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]


def call_of(huey: Any, task: Any) -> Call:
    """The call as the app made it; one of Django's own tasks is behind a task of Huey's."""
    args: Sequence[Any] = task.args or ()
    given: Mapping[str, Any] = task.kwargs or {}
    if task.name == _SHIM and len(args) == _SHIMMED:
        return Call(str(args[0]), args[1], args[2])
    if _STRANGE in given or given.get("task") is task:
        given = {k: v for k, v in given.items() if k != _STRANGE and v is not task}
    return Call(str(huey._registry.task_to_string(type(task))), args, given)  # noqa: SLF001  (the only list)


def epoch(when: datetime | None, *, utc: bool) -> float | None:
    """Seconds since 1970 of one of Huey's naive times, which are in UTC or local by its setting."""
    if when is None:
        return None
    return (when.replace(tzinfo=UTC) if utc and when.tzinfo is None else when).timestamp()


def moment(seconds: float | None) -> datetime | None:
    """A time that nobody can mistake."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def huey_time(seconds: float | None, *, utc: bool) -> datetime | None:
    """One of Huey's naive times."""
    when = moment(seconds)
    return None if when is None else normalize_time(when, None, utc)
