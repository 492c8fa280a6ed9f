"""One column of a cron text. The rule: what is not understood is refused, with its place.

Days of the week leave here counted from Sunday as 0, whatever the dialect counts from.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from . import quirks
from .days import WEEK
from .dialects import Dialect
from .written import Column, Written

MAX_ITEMS = 128
_ITEM = re.compile(r"(?:(\*)|([A-Z0-9]+)(?:-([A-Z0-9]+))?)(?:/([0-9]+))?", re.ASCII)
_HASHED = re.compile(r"H(?:\(([0-9]+)-([0-9]+)\))?(?:/([0-9]+))?", re.ASCII)
_BACK = re.compile(r"L-([0-9]+)", re.ASCII)
_NEAR = re.compile(r"([0-9]+)W", re.ASCII)
_NTH = re.compile(r"([A-Z0-9]+)(?:-([A-Z]+))?#([0-9]+)", re.ASCII)
_LAST_OF = re.compile(r"([A-Z]{3}|[0-9]+)L", re.ASCII)
_LAST_IS = re.compile(r"L([0-9]+)(?:-([0-9]+))?", re.ASCII)
_HASHED_DAYS = 28


def read_column(dialect: Dialect, name: str, text: str, column: int = 1, seed: str = "") -> Column:
    """One column of a text in a dialect; `column` is where it starts, `seed` what H hashes.

    Raises:
        ScheduleInvalid: schedule.cron_syntax, schedule.dialect
    """
    reader = _Reader(dialect, name, text.upper(), column, seed)
    return reader.read()


class _Reader(Written):
    def read(self) -> Column:
        items = self.found.items
        if len(items) > MAX_ITEMS:
            raise self.wrong(f"more than {MAX_ITEMS} items", "write ranges or steps")
        if self.dialect.silent and self.found.text == "*":
            self.found.values.update(range(self.low, self.high + 1))
            return self.found
        for item in items:
            if self.dialect.silent:
                values, more = quirks.pycron_item(item, self.name, self.low, self.high)
                self.found.values.update(values)
                if not more:
                    break
            elif not self._special(item):
                self.found.values.update(map(self.canonical, self._plain(item)))
            self.at += len(item) + 1
        return self.found

    # -------------------------------------------------------- plain items

    def _plain(self, item: str) -> list[int]:
        match = _ITEM.fullmatch(item)
        if match is None:
            raise self.wrong(f"cannot read {item[:40]!r}", "write for example 5, 1-5, */10 or 1,2")
        star, first, last, step = match.groups()
        size = self._step(step)
        if star:
            if step and self.name == "dow" and not self.dialect.weekday_steps:
                raise self.absent("a step over all weekdays", f"0-6/{size}")
            self._check_step(step, size, self.low, self.high, self.high)
            return list(range(self.low, self.high + 1))[::size]
        self.check_names(first, last, step)
        low = self.number(first)
        if last is None and step is None:
            return [low]
        if last is None:
            return self._open(low, step, size)
        high = self._range_end(last)
        return self._range(low, high, step, size)

    def _open(self, low: int, step: str, size: int) -> list[int]:
        if not self.dialect.open_steps:
            raise self.absent("a step without a range", f"{low}-{self.high}/{size}")
        self._check_step(step, size, low, self.high, None)
        if low > self.high and self.dialect.steps == "reach":
            raise self.wrong("a step from 7 reaches nothing", "count Sunday as 0")
        low = low if low <= self.high else self.low
        return list(range(low, self.high + 1, size))

    def _range_end(self, last: str) -> int:
        if last == "L" and self.name == "dom" and self.dialect.steps == "croniter":
            return self.high
        high = self.number(last)
        if self.name == "dow" and high == 0 and self.dialect.steps == "reach":
            return WEEK
        return high

    def _range(self, low: int, high: int, step: str | None, size: int) -> list[int]:
        if self.dialect.steps == "croniter":
            alias = self.name == "dow"
            low, high = (low % WEEK, high % WEEK) if alias else (low, high)
            return quirks.croniter_range(low, high, size, (self.low, self.high))
        if self.dialect.wrap and low > self.high and high < low:
            low = self.low
        if low > high:
            return self._wrapped(low, high, size)
        self._check_step(step, size, low, high, high)
        return list(range(low, high + 1, size))

    def _wrapped(self, low: int, high: int, size: int) -> list[int]:
        if self.name == "year" or not self.dialect.wrap:
            raise self.absent("a range that runs backwards", f"{low}-{self.high},{self.low}-{high}")
        return [*range(low, self.high + 1), *range(self.low, high + 1)][::size]

    def _step(self, step: str | None) -> int:
        if step is None:
            return 1
        if int(step) == 0:
            raise self.wrong(f"a step of {step[:10]}", "steps are 1 or more")
        return int(step)

    def _check_step(
        self, step: str | None, size: int, low: int, high: int, end: int | None
    ) -> None:
        if step is None:
            return
        limit = self.high + 1 if self.name == "dow" and self.dialect.seven else self.high
        if not quirks.step_is_read(
            self.dialect.steps, size, (low, high, end), (self.low, self.high, limit)
        ):
            raise self.wrong(
                f"{self.dialect.tag} refuses a step of {step[:10]} here", "use a smaller step"
            )

    # -------------------------------------------------------- L, W, #, ?, H

    def _special(self, item: str) -> bool:
        if item == "?":
            return self._question()
        if item.startswith("H"):
            return self._hashed(item)
        if self.name == "dom":
            return self._special_dom(item)
        return self.name == "dow" and self._special_dow(item)

    def _question(self) -> bool:
        days = self.name in ("dom", "dow")
        if not days and self.dialect.tag != "cron":
            raise self.wrong("? is for days", "write *")
        self.need("?", "*")
        if len(self.found.items) > 1 and self.dialect.tag not in ("cron", "parse_crontab"):
            raise self.wrong("? stands alone", "write *")
        self.found.values.update(map(self.canonical, range(self.low, self.high + 1)))
        return True

    def _hashed(self, item: str) -> bool:
        match = _HASHED.fullmatch(item)
        if match is None:
            return False
        self.need("H", "a number")
        first, last, step = match.groups()
        low = self.low if first is None else self.number(first)
        high = self.high if last is None else self.number(last)
        if self.name == "dom" and last is None and step is None:
            high = _HASHED_DAYS
        if low > high:
            raise self.wrong("a hashed range that runs backwards", "write the smaller number first")
        size = self._step(step)
        spread = (min(size, high - low + 1) if step else high - low + 1) or 1
        start = low + self._hash() % spread
        self.found.values.update(
            map(self.canonical, range(start, high + 1, size) if step else (start,))
        )
        return True

    def _hash(self) -> int:
        digest = blake2b(f"{self.seed}|{self.name}".encode(), digest_size=8)
        return int.from_bytes(digest.digest(), "big")

    def _special_dom(self, item: str) -> bool:
        if item == "L":
            self.need("L", "28-31")
            self.found.back.add(0)
        elif back := _BACK.fullmatch(item):
            self.need("L-n", "28")
            if int(back[1]) >= self.high:
                raise self.wrong(f"{item[:10]} is before every month", "write L-1 to L-30")
            self.found.back.add(int(back[1]))
        elif item == "LW":
            self.need("LW", "28-31")
            self.found.last_weekday = True
        elif near := _NEAR.fullmatch(item):
            self.need("nW", near[1])
            if len(self.found.items) > 1 and self.dialect.tag != "cron":
                raise self.wrong("W stands alone", "write one day")
            self.found.near.add(self.number(near[1]))
        else:
            return False
        return True

    def _special_dow(self, item: str) -> bool:
        if nth := _NTH.fullmatch(item):
            self._nth(*nth.groups())
        elif item == "L" and self.dialect.both == "question":
            self.found.values.add(self.canonical(self.high))
        elif last := _LAST_OF.fullmatch(item):
            self.need("nL", last[1])
            self.found.last.add(self.canonical(self.number(last[1])))
        elif last := _LAST_IS.fullmatch(item):
            self.need("Ln", last[1])
            self._last_is(last[1], last[2])
        else:
            return False
        return True

    def _nth(self, first: str, last: str | None, nth: str) -> None:
        self.need("n#k", first)
        if not 1 <= int(nth) <= 5:  # noqa: PLR2004  (no month has a sixth)
            raise self.wrong(f"no {nth[:10]}th in any month", "write #1 to #5")
        days = [self.number(first)]
        if last is not None:
            if self.dialect.steps != "croniter" or first.isdigit():
                raise self.wrong("# follows one day", "write one item for each day")
            days = self._range(days[0], self.number(last), None, 1)
        self.found.nth.update((self.canonical(day), int(nth)) for day in days)

    def _last_is(self, first: str, last: str | None) -> None:
        low = self.number(first)
        high = low if last is None else self.number(last)
        if last is not None and self.dialect.steps != "reach":
            raise self.wrong("L takes one day", "write one item for each day")
        self.found.last.update(self.canonical(day) for day in range(low, high + 1))
