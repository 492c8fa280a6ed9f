"""Which days of a month a rule means. The rule: Sunday is 0, and a month is asked as a whole."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import NamedTuple

WEEK = 7
_KEPT = 1024
_MONTHS = 41 * 12
_SATURDAY = 6


class Month(NamedTuple):
    """Length of a month and the weekday of its first day (Sunday is 0)."""

    length: int
    first: int

    def weekday(self, day: int) -> int:
        """Sunday is 0."""
        return (self.first + day - 1) % WEEK


def month_of(year: int, month: int) -> Month:
    """The shape of a month."""
    first, length = monthrange(year, month)
    return Month(length, (first + 1) % WEEK)


class MonthDays(NamedTuple):
    """A column of days of the month.

    `last` holds distances from the last day, `near` days whose nearest weekday is meant.
    """

    days: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    near: frozenset[int] = frozenset()
    last_weekday: bool = False

    def of(self, month: Month) -> set[int]:
        """The days of one month."""
        found = {day for day in self.days if day <= month.length}
        found |= {month.length - back for back in self.last if back < month.length}
        found |= {nearest_weekday(month, day) for day in self.near}
        if self.last_weekday:
            found.add(nearest_weekday(month, month.length))
        return found


class WeekDays(NamedTuple):
    """A column of days of the week: plain, the n-th of the month, the last of the month."""

    days: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()
    last: frozenset[int] = frozenset()

    def of(self, month: Month) -> set[int]:
        """The days of one month."""
        found = {day for day in range(1, month.length + 1) if month.weekday(day) in self.days}
        for weekday, n in self.nth:
            day = 1 + (weekday - month.first) % WEEK + WEEK * (n - 1)
            if day <= month.length:
                found.add(day)
        for weekday in self.last:
            found.add(month.length - (month.weekday(month.length) - weekday) % WEEK)
        return found


def nearest_weekday(month: Month, day: int) -> int:
    """Monday to Friday, nearest to a day and in its month; a day beyond the end is the last."""
    day = min(day, month.length)
    weekday = month.weekday(day)
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < month.length else day - 2
    return day


class DayRule(NamedTuple):
    """Days by month, day of the month and day of the week.

    `both` is true when a day must satisfy both columns, false when either is enough.
    """

    months: frozenset[int]
    dom: MonthDays
    dow: WeekDays
    both: bool
    years: frozenset[int] | None = None

    def of(self, year: int, month: int) -> tuple[int, ...]:
        """The days of one month, sorted."""
        if month not in self.months or (self.years is not None and year not in self.years):
            return ()
        shape = month_of(year, month)
        dom, dow = self.dom.of(shape), self.dow.of(shape)
        return tuple(sorted(dom & dow if self.both else dom | dow))

    def ever(self) -> bool:
        """Whether any year has such a day: there are fourteen kinds of years."""
        kinds = (2001, 2002, 2003, 2005, 2006, 2009, 2010, *range(2000, 2028, 4))
        rule = self._replace(years=None)
        return any(rule.of(year, month) for year in kinds for month in self.months)


class DayCache:
    """Days of a rule as ordinals, kept by month. `ever` says whether there are any."""

    __slots__ = ("_kept", "ever", "rule")

    def __init__(self, rule: DayRule) -> None:
        self.rule = rule
        self.ever = rule.ever()
        self._kept: dict[int, tuple[int, ...]] = {}

    def at_or_after(self, ordinal: int) -> int | None:
        """The first day from here on, within 41 years."""
        first = date.fromordinal(ordinal)
        index = first.year * 12 + first.month - 1
        days = self._month(index)
        place = bisect_left(days, ordinal)
        if place < len(days):
            return days[place]
        for later in range(index + 1, index + _MONTHS):
            if days := self._month(later):
                return days[0]
        return None

    def at_or_before(self, ordinal: int) -> int | None:
        """The last day up to here, within 41 years."""
        last = date.fromordinal(ordinal)
        index = last.year * 12 + last.month - 1
        days = self._month(index)
        place = bisect_right(days, ordinal)
        if place:
            return days[place - 1]
        for earlier in range(index - 1, index - _MONTHS, -1):
            if days := self._month(earlier):
                return days[-1]
        return None

    def _month(self, index: int) -> tuple[int, ...]:
        kept = self._kept.get(index)
        if kept is None:
            year, month = divmod(index, 12)
            start = date(year, month + 1, 1).toordinal() - 1
            kept = tuple(start + day for day in self.rule.of(year, month + 1))
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[index] = kept
        return kept


@lru_cache(maxsize=_KEPT)
def days_of(rule: DayRule) -> DayCache:
    """The days of a rule: the same for all texts that mean the same days."""
    return DayCache(rule)
