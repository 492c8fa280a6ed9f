"""What a trigger gives: slots. The rule: a slot is the nominal instant and is never moved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

DAY_S = 86_400
HORIZON_S = 41 * 366 * DAY_S
"""How far a search looks: 29 February on a given weekday, across a century without leap day."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (wall times have no zone)
EARLIEST_S = -2_208_988_800
LATEST_S = 32_503_680_000
"""1900-01-01 and 3000-01-01: outside of these there are no slots."""


class Slot(NamedTuple):
    """One instant of a trigger.

    `at_ms` counts from the epoch in UTC, `local` is the wall time in ISO 8601, `fold` is 1 for the
    second of two equal wall times. `note` says why it is where it is: "" for itself, `gap` for one
    moved out of a gap, `fold2` for the repeat, `calendar` for one moved to a business day, `polar`
    for the noon of a day without the event.
    """

    at_ms: int
    local: str
    fold: int = 0
    note: str = ""


class Timing(ABC):
    """A rule that gives slots. Two calls in a row always answer the same: nothing is kept."""

    __slots__ = ()

    @abstractmethod
    def next(self, after_ms: int) -> Slot | None:
        """The first slot later than `after_ms`; None when there is none within 41 years."""

    @abstractmethod
    def prev(self, before_ms: int) -> Slot | None:
        """The last slot earlier than `before_ms`; None when there is none within 41 years."""

    def between(self, after_ms: int, upto_ms: int, limit: int = 1000) -> list[Slot]:
        """The slots with after < slot <= upto, oldest first, at most `limit` of them."""
        found: list[Slot] = []
        slot = self.next(after_ms)
        while slot is not None and slot.at_ms <= upto_ms and len(found) < limit:
            found.append(slot)
            slot = self.next(slot.at_ms)
        return found

    def contains(self, at_ms: int) -> bool:
        """Whether `at_ms` is a slot."""
        slot = self.next(at_ms - 1)
        return slot is not None and slot.at_ms == at_ms


def wall(local_s: int) -> datetime:
    """A wall time from its seconds since 1970-01-01T00:00 of the same wall."""
    return WALL_EPOCH + timedelta(seconds=local_s)


def wall_seconds(local: datetime) -> int:
    """Seconds of a wall time since 1970-01-01T00:00 of the same wall."""
    return (local.replace(tzinfo=None) - WALL_EPOCH) // timedelta(seconds=1)


def utc_text(at_ms: int) -> str:
    """An instant in ISO 8601, with milliseconds only where there are any."""
    at = EPOCH + timedelta(milliseconds=at_ms)
    spec = "milliseconds" if at_ms % 1000 else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=spec)


def utc_slot(at_ms: int, note: str = "") -> Slot:
    """The slot of a rule that counts in absolute time."""
    return Slot(at_ms, utc_text(at_ms), 0, note)
