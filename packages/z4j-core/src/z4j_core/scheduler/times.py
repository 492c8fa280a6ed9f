"""Days and times of day as nominal wall times. The rule: found by bisection, never by stepping."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date

from .days import DayCache
from .slots import DAY_S

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MINUTE = 60


class DayTimes:
    """Wall times: on the days of a rule, at minutes of the day and seconds of the minute."""

    __slots__ = ("_days", "_first", "_last", "daily", "minutes", "seconds", "wildcard")

    def __init__(
        self,
        days: DayCache,
        minutes: tuple[int, ...],
        seconds: tuple[int, ...] = (0,),
        *,
        wildcard: bool = False,
        daily: bool = True,
    ) -> None:
        self.minutes = minutes
        self.seconds = seconds
        self.wildcard = wildcard
        self.daily = daily
        self._days = days
        self._first = minutes[0] * _MINUTE + seconds[0]
        self._last = minutes[-1] * _MINUTE + seconds[-1]

    def after(self, local_s: int) -> int | None:
        """The first nominal later than this second of the wall."""
        day, second = divmod(local_s, DAY_S)
        day += _EPOCH_DAY
        if second >= self._last:
            day, second = day + 1, -1
        found = self._days.at_or_after(day)
        if found is None:
            return None
        if found != day or second < self._first:
            return (found - _EPOCH_DAY) * DAY_S + self._first
        return (day - _EPOCH_DAY) * DAY_S + self._time_after(second)

    def before(self, local_s: int) -> int | None:
        """The last nominal earlier than this second of the wall."""
        day, second = divmod(local_s, DAY_S)
        day += _EPOCH_DAY
        if second <= self._first:
            day, second = day - 1, DAY_S
        found = self._days.at_or_before(day)
        if found is None:
            return None
        if found != day or second > self._last:
            return (found - _EPOCH_DAY) * DAY_S + self._last
        return (day - _EPOCH_DAY) * DAY_S + self._time_before(second)

    def _time_after(self, second: int) -> int:
        minute, rest = divmod(second, _MINUTE)
        place = bisect_left(self.minutes, minute)
        if self.minutes[place] == minute:
            later = bisect_right(self.seconds, rest)
            if later < len(self.seconds):
                return minute * _MINUTE + self.seconds[later]
            place += 1
        return self.minutes[place] * _MINUTE + self.seconds[0]

    def _time_before(self, second: int) -> int:
        minute, rest = divmod(second, _MINUTE)
        place = bisect_left(self.minutes, minute)
        if place < len(self.minutes) and self.minutes[place] == minute:
            earlier = bisect_left(self.seconds, rest)
            if earlier:
                return minute * _MINUTE + self.seconds[earlier - 1]
        return self.minutes[place - 1] * _MINUTE + self.seconds[-1]
