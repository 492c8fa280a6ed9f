"""What stands in one column of a cron text. The rule: a number is read as its dialect counts.

Days of the week leave here counted from Sunday as 0, whatever the dialect counts from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..errors import ScheduleInvalid
from .days import WEEK
from .dialects import BOUNDS, TITLES, Dialect

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


class Written:
    """One column, its bounds, and the errors that name its place."""

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

    def canonical(self, value: int) -> int:
        """A day of the week counted from Sunday; anything else as it is."""
        return (value + self.dialect.shift) % WEEK if self.name == "dow" else value

    def number(self, text: str) -> int:
        """A written number or a name, as the dialect counts."""
        if text.isdigit():
            value = int(text)
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

    def check_names(self, first: str, last: str | None, step: str | None) -> None:
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
