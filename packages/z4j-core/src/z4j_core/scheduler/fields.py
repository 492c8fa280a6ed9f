"""One column of a cron text. The rule: what is not understood is refused, with its place.

Days of the week leave here counted from Sunday as 0, whatever the dialect counts from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import MappingProxyType

from ..errors import ScheduleInvalid
from . import quirks
from .days import WEEK
from .dialects import BOUNDS, TITLES, Dialect

MAX_ITEMS = 128
_WEEKDAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST"),
    *("SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
NAMES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "dow": {name[:3]: number for number, name in enumerate(_WEEKDAYS)},
        "month": {name[:3]: number for number, name in enumerate(_MONTHS, 1)},
    }
)
LONG_NAMES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "dow": {name: number for number, name in enumerate(_WEEKDAYS)},
        "month": {name: number for number, name in enumerate(_MONTHS, 1)},
    }
)

_ITEM = re.compile(r"(?:(\*)|([A-Z0-9]+)(?:-([A-Z0-9]+))?)(?:/([0-9]+))?", re.ASCII)
_HASHED = re.compile(r"H(?:\(([0-9]+)-([0-9]+)\))?(?:/([0-9]+))?", re.ASCII)
_BACK = re.compile(r"L-([0-9]{1,2})", re.ASCII)
_NEAR = re.compile(r"([0-9]{1,2})W", re.ASCII)
_NTH = re.compile(r"([A-Z0-9]+)(?:-([A-Z]+))?#([0-9])", re.ASCII)
_LAST_OF = re.compile(r"([A-Z]{3}|[0-9])L", re.ASCII)
_LAST_IS = re.compile(r"L([0-9])(?:-([0-9]))?", re.ASCII)
_LONGEST_NUMBER = 4
_HASHED_DAYS = 28


@dataclass(slots=True)
class Column:
    """What one column means. The sets beside `values` are for the two columns of days."""

    text: str
    values: set[int] = field(default_factory=set)
    back: set[int] = field(default_factory=set)
    near: set[int] = field(default_factory=set)
    last_weekday: bool = False
    nth: set[tuple[int, int]] = field(default_factory=set)
    last: set[int] = field(default_factory=set)

    @property
    def starts_wild(self) -> bool:
        """Whether the text starts with a star."""
        return self.text[0] in "*?"

    @property
    def items(self) -> list[str]:
        """The texts between the commas."""
        return self.text.split(",")

    @property
    def special(self) -> bool:
        """Whether it says more than plain values."""
        return bool(self.back or self.near or self.last_weekday or self.nth or self.last)


def read_column(dialect: Dialect, name: str, text: str, column: int = 1, seed: str = "") -> Column:
    """One column of a text in a dialect; `column` is where it starts, `seed` what H hashes.

    Raises:
        ScheduleInvalid: schedule.cron_syntax, schedule.dialect
    """
    reader = _Reader(dialect, name, text.upper(), column, seed)
    return reader.read()


class _Reader:
    def __init__(self, dialect: Dialect, name: str, text: str, column: int, seed: str) -> None:
        self.dialect = dialect
        self.name = name
        self.seed = seed
        self.column = column
        self.at = column
        if dialect.both == "bare":
            text = text.replace("?", "*")
        self.found = Column(text)
        low, high = BOUNDS[name]
        self.low = 1 if name == "dow" and dialect.shift < 0 else low
        self.high = self.low + WEEK - 1 if name == "dow" else high

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

    def canonical(self, value: int) -> int:
        """A day of the week counted from Sunday; anything else as it is."""
        return (value + self.dialect.shift) % WEEK if self.name == "dow" else value

    # -------------------------------------------------------- plain items

    def _plain(self, item: str) -> list[int]:
        match = _ITEM.fullmatch(item)
        if match is None:
            raise self.wrong(f"cannot read {item[:40]!r}", "write for example 5, 1-5, */10 or 1,2")
        star, first, last, step = match.groups()
        size = self._step(step)
        if star:
            if step and self.name == "dow" and self.dialect.tag == "huey":
                raise self.absent("a step over all weekdays", f"0-6/{size}")
            self._check_step(step, size, self.low, self.high, self.high)
            return list(range(self.low, self.high + 1))[::size]
        self._check_names(first, last, step)
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
        if low > self.high and high < low:
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
        if len(step) > _LONGEST_NUMBER or int(step) == 0:
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
                f"{self.dialect.tag} refuses a step of {size} here", "use a smaller step"
            )

    # -------------------------------------------------------- numbers and names

    def number(self, text: str) -> int:
        """A written number or a name, as the dialect counts."""
        if text.isdigit():
            value = int(text) if len(text) <= _LONGEST_NUMBER else self.high + WEEK
            top = self.high + (1 if self.name == "dow" and self.dialect.seven else 0)
            if not self.low <= value <= top:
                raise self.wrong(f"{text[:10]} is outside {self.low}-{top}", self._range_hint(text))
            return value
        if self.name not in NAMES or self.name not in self.dialect.names:
            raise self.wrong(f"{text[:20]!r} is no number", f"write {self.low} to {self.high}")
        named = NAMES[self.name].get(text)
        if named is None and self.dialect.long_names:
            named = LONG_NAMES[self.name].get(text)
        if named is None:
            raise self.wrong(f"no {TITLES[self.name]} {text[:20]!r}", self._names_hint())
        if self.name == "month":
            return named
        return (named - self.dialect.shift - self.low) % WEEK + self.low

    def _check_names(self, first: str, last: str | None, step: str | None) -> None:
        """APScheduler knows names alone and in ranges of names, without steps."""
        if self.dialect.steps != "within":
            return
        kinds = {text.isdigit() for text in (first, last) if text is not None}
        if len(kinds) > 1 or (False in kinds and step is not None):
            raise self.wrong("names stand alone or in a range of names", "write numbers")

    def _range_hint(self, text: str) -> str:
        if self.name == "dow" and text == "7":
            return "Sunday has another number in this dialect"
        return f"a {TITLES[self.name]} is {self.low} to {self.high}"

    def _names_hint(self) -> str:
        return "use three letters, such as mon" if self.name == "dow" else "write for example jan"

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
                raise self.wrong(f"{item} is before every month", "write L-1 to L-30")
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
            raise self.wrong(f"no {nth}th in any month", "write #1 to #5")
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

    # -------------------------------------------------------- errors

    def need(self, mark: str, instead: str) -> None:
        """Refuse a mark that this dialect does not have."""
        if mark not in self.dialect.marks:
            raise self.absent(mark, instead)

    def wrong(self, what: str, hint: str) -> ScheduleInvalid:
        """A text that nobody reads."""
        return ScheduleInvalid(
            "schedule.cron_syntax",
            f"{TITLES[self.name]}, column {self.at}: {what}",
            hint=hint,
            pointer="/expr",
            column=self.at,
        )

    def absent(self, what: str, instead: str) -> ScheduleInvalid:
        """A text that another dialect reads."""
        return ScheduleInvalid(
            "schedule.dialect",
            f"{TITLES[self.name]}, column {self.at}: {self.dialect.tag} has no {what}",
            hint=f"write {instead}, or take dialect cron",
            pointer="/expr",
            column=self.at,
        )
