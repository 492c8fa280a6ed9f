"""When an ordinary row is due, by the shortest way. The rule: what planning says, or nothing.

A leader that begins looks at every schedule once. Nearly all are enabled, with one cron text,
period or time and nothing else that moves slots; for these no trigger is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from ..cron import parse
from ..interval import Interval
from ..moments import every_of, period_ms
from ..read import instant_ms
from ..times import DayTimes
from ..walls import DST, Wall
from ..zone import zone

Row = Mapping[str, Any]


class Unsure:
    """This row takes the long way."""


UNSURE: Final = Unsure()
_DECIDES = frozenset((
    "blackouts", "calendars", "enabled", "end_at", "exclude", "jitter_mode", "jitter_s",
    "max_fires", "paused", "paused_until_ms", "start_at",
))  # fmt: skip
"""What else decides when a row is due; none of it stands in one that has what is usual."""
_CRON = {"dialect", "dst", "expr", "kind", "tz"}
_INTERVAL = {"anchor", "every", "kind", "mode", "phase_s"}
_ONCE = {"at", "delete_after", "kind"}
_TEXTS = 8_192


def due_after(row: Row, after_ms: int) -> int | Unsure | None:
    """When a row is due that has no slot up to a time; None for never.

    Raises:
        ScheduleInvalid: its timing cannot be read here.
    """
    if not _DECIDES.isdisjoint(row):
        return UNSURE
    specs = row["specs"]
    spec = specs[0]
    find = _FINDERS.get(spec["kind"])
    if find is None or len(specs) > 1:
        return UNSURE
    return find(spec, row, after_ms)


def _cron(spec: Row, _row: Row, after_ms: int) -> int | Unsure | None:
    dst = spec["dst"]
    if spec.keys() != _CRON or type(dst) is not str:
        return UNSURE
    times = _times(spec["expr"], spec["dialect"])
    return UNSURE if times is None else Wall(times, zone(spec["tz"]), DST[dst]).next_ms(after_ms)


@lru_cache(maxsize=_TEXTS)
def _times(expr: str, dialect: str) -> DayTimes | None:
    """Days and times of a text; None where they depend on the schedule."""
    if "H" in expr.upper() or every_of(expr, dialect) is not None:
        return None
    return parse(expr, dialect).times


def _interval(spec: Row, row: Row, after_ms: int) -> int | Unsure | None:
    anchor = spec["anchor"]
    if spec.keys() != _INTERVAL or spec["mode"] != "fixed_rate" or spec["phase_s"] != 0:
        return UNSURE
    if anchor not in ("created", "epoch"):
        return UNSURE
    start_ms = row["created_ms"] // 1000 * 1000 if anchor == "created" else 0
    return Interval(period_ms(spec["every"]), start_ms).next_ms(after_ms)


def _once(spec: Row, _row: Row, after_ms: int) -> int | Unsure | None:
    at = spec["at"]
    if spec.keys() != _ONCE or type(at) is not str:
        return UNSURE
    at_ms = instant_ms(at)
    return at_ms if at_ms > after_ms else None


_FINDERS: Mapping[str, Callable[[Row, Row, int], int | Unsure | None]] = {
    "cron": _cron,
    "interval": _interval,
    "once": _once,
}
