"""Times and periods in documents. The rule: a wall time comes with its zone, or is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from ..errors import ScheduleInvalid
from . import read
from .dialects import dialect
from .read import Fields, bounds
from .zone import zone

Json: TypeAlias = dict[str, Any]
_TEN_YEARS_MS = 3653 * 86_400_000
_SHORTEST_MS = 100


def zone_key(value: Any) -> str:
    """A time zone, by its key."""
    return zone(read.text(64)(value)).key


@dataclass(frozen=True, slots=True)
class When:
    """An instant, or a wall time of a zone: that one is looked up again in each edition."""

    at_ms: int | None
    local: datetime | None = None
    tz: str = "UTC"
    fold: int = 0

    @classmethod
    def read(cls, value: Any) -> When:
        """From a text with an offset, or from `{local, tz, fold}`."""
        if isinstance(value, str):
            return cls(read.instant_ms(value))
        fields = Fields(value, "a time")
        found = cls(
            None,
            fields.take("local", read.local_time),
            fields.take("tz", zone_key),
            fields.take("fold", read.whole(0, 1), 0),
        )
        fields.done()
        return found

    def json(self) -> str | Json:
        if self.local is None:
            return read.instant_text(self.at_ms or 0)
        return {"local": self.local.isoformat(), "tz": self.tz, "fold": self.fold}


def every_of(expr: str, tag: str) -> int | None:
    """The milliseconds of an `@every` text, None for any other.

    Raises:
        ScheduleInvalid: schedule.cron_syntax
    """
    word, _, length = expr.strip().partition(" ")
    if word.lower() != "@every" or "@every" not in dialect(tag).aliases:
        return None
    try:
        return period_ms(length.strip())
    except ScheduleInvalid as error:
        raise ScheduleInvalid(
            "schedule.cron_syntax", error.text, hint=error.hint, pointer="/expr", column=8
        ) from error


def period_ms(value: Any) -> int:
    """A period between slots."""
    every = read.duration_ms(value)
    if not _SHORTEST_MS <= every <= _TEN_YEARS_MS:
        raise bounds(f"a period of {every / 1000} s", "write 0.1 s to 10 years")
    return every
