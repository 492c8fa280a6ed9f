"""Every n days, weeks, months or years by the wall. The rule: counted from the anchor, each time.

31 January plus n months is 28 February, 31 March, 30 April: a short month shortens one slot and
never those behind it.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta

from .slots import DAY_S, HORIZON_S, wall, wall_seconds

UNITS = {"days": 1, "weeks": 7, "months": 1, "years": 12}
_MONTHS = 12


class EveryDays:
    """`anchor + k * days` on the wall, k >= 0."""

    wildcard = False
    daily = True

    def __init__(self, anchor: datetime, days: int) -> None:
        self._start = wall_seconds(anchor)
        self._every = days * DAY_S

    def after(self, local_s: int) -> int | None:
        """The first nominal later than this second of the wall."""
        periods = max((local_s - self._start) // self._every + 1, 0)
        return _near(self._start + periods * self._every, local_s)

    def before(self, local_s: int) -> int | None:
        """The last nominal earlier than this second of the wall."""
        if local_s <= self._start:
            return None
        return self._start + (local_s - 1 - self._start) // self._every * self._every


class EveryMonths:
    """`anchor + k * months` on the wall, k >= 0.

    With `clamp` a day that a month does not have is its last one, without it that month is left
    out.
    """

    wildcard = False
    daily = True

    def __init__(self, anchor: datetime, months: int, *, clamp: bool) -> None:
        self._anchor = anchor
        self._start = wall_seconds(anchor)
        self._first = anchor.year * _MONTHS + anchor.month - 1
        self._every = months
        self._clamp = clamp

    def after(self, local_s: int) -> int | None:
        """The first nominal later than this second of the wall."""
        periods = max(self._periods(local_s), 0)
        while (months := periods * self._every) <= self._periods_limit(local_s):
            found = self._at(self._first + months)
            if found is not None and found > local_s:
                return found
            periods += 1
        return None

    def before(self, local_s: int) -> int | None:
        """The last nominal earlier than this second of the wall."""
        periods = self._periods(local_s)
        while periods >= 0:
            found = self._at(self._first + periods * self._every)
            if found is not None and found < local_s:
                return found
            periods -= 1
        return None

    def _periods(self, local_s: int) -> int:
        at = wall(local_s)
        return (at.year * _MONTHS + at.month - 1 - self._first) // self._every

    def _periods_limit(self, local_s: int) -> int:
        at = wall(max(local_s, self._start) + HORIZON_S)
        return at.year * _MONTHS + at.month - self._first

    def _at(self, index: int) -> int | None:
        year, month = divmod(index, _MONTHS)
        length = monthrange(year, month + 1)[1]
        if self._anchor.day > length and not self._clamp:
            return None
        day = min(self._anchor.day, length)
        return wall_seconds(self._anchor.replace(year=year, month=month + 1, day=day))


def _near(found: int, local_s: int) -> int | None:
    return found if found - local_s <= HORIZON_S + timedelta(days=1).total_seconds() else None
