"""Cron texts. The rule: the text and its dialect decide, and nothing else does.

A text is read once, kept with its dialect, and shared: what comes out is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..errors import ScheduleInvalid
from .arqtext import columns_of_arq
from .days import DayCache, DayRule, MonthDays, WeekDays, days_of
from .dialects import ALIASES, BOUNDS, TITLES, Dialect, dialect
from .fields import read_column
from .times import DayTimes
from .written import Column

MAX_TEXT = 256
_KEPT = 4096
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Cron:
    """A text that was read: its columns and the wall times they mean."""

    text: str
    dialect: Dialect
    columns: Mapping[str, Column]
    rule: DayRule
    times: DayTimes

    @property
    def wildcard(self) -> bool:
        """Whether its minute or hour starts with a star."""
        return self.times.wildcard


def parse(text: str, tag: str = "cron", seed: str = "") -> Cron:
    """A cron text in a dialect; `seed` is what H hashes, the id of the schedule.

    Raises:
        ScheduleInvalid: schedule.cron_syntax, schedule.dialect, schedule.never
    """
    known = dialect(tag)
    if len(text) > MAX_TEXT:
        raise _syntax(f"{len(text)} characters", f"a cron text has at most {MAX_TEXT}")
    if not text.isascii():
        raise _syntax("a letter that is not ASCII", "write names in English, numbers as 0-9")
    return _parse(text.strip(), known, seed if "h" in text.lower() else "")


@lru_cache(maxsize=_KEPT)
def _parse(text: str, known: Dialect, seed: str) -> Cron:
    columns = _columns(text, known, seed)
    dom, dow = columns["dom"], columns["dow"]
    _refuse_mixtures(known, dom, dow)
    years = columns.get("year")
    rule = DayRule(
        frozenset(columns["month"].values),
        MonthDays(
            frozenset(dom.values), frozenset(dom.back), frozenset(dom.near), dom.last_weekday
        ),
        WeekDays(frozenset(dow.values), frozenset(dow.nth), frozenset(dow.last)),
        both_must_hold(known, dom, dow),
        None if years is None or "*" in years.items else frozenset(years.values),
    )
    days = days_of(_croniter_days(known, rule, dom, dow))
    times = _times(columns, days)
    if times is None or not days.ever:
        raise ScheduleInvalid(
            "schedule.never",
            f"{text!r} never fires" + (" in pycron, which says nothing" if known.silent else ""),
            hint="check that the month has such a day" + _silent_hint(known),
            pointer="/expr",
        )
    return Cron(text, known, columns, days.rule, times)


def _silent_hint(known: Dialect) -> str:
    return ", and that pycron reads each item" if known.silent else ""


def _columns(text: str, known: Dialect, seed: str) -> dict[str, Column]:
    if not known.layouts:
        return columns_of_arq(text, known)
    if known.tag == "eventbridge" and text.startswith("cron(") and text.endswith(")"):
        text = text[5:-1]
    if text.startswith("@"):
        text = _alias(text, known)
    words = text.split()
    layout = next((names for names in known.layouts if len(names) == len(words)), None)
    if layout is None:
        raise _wrong_count(known, len(words))
    columns = {"second": Column("0", {0})}
    at = 1
    for name, word in zip(layout, words, strict=True):
        at = text.index(word, at - 1) + 1
        columns[name] = _column(known, name, word, at, seed)
        at += len(word)
    return columns


def _column(known: Dialect, name: str, word: str, at: int, seed: str) -> Column:
    """One column. Most texts say in most columns what others say: it is read once."""
    said = (known, name, word, seed)
    found = _columns_read.get(said)
    if found is None:
        found = read_column(known, name, word, at, seed)
        if len(_columns_read) >= _KEPT:
            _columns_read.clear()
        _columns_read[said] = found
    return found


_columns_read: dict[tuple[Dialect, str, str, str], Column] = {}


def forget() -> None:
    """Read every text anew from now on: for tests and measures."""
    _parse.cache_clear()
    _columns_read.clear()
    days_of.cache_clear()


def _alias(text: str, known: Dialect) -> str:
    name = text.split(maxsplit=1)[0].lower()
    if name == "@reboot":
        raise ScheduleInvalid(
            "schedule.dialect",
            "@reboot is no time",
            hint="use a spec of kind on_start",
            pointer="/expr",
        )
    if name == "@every":
        raise ScheduleInvalid(
            "schedule.dialect",
            "@every counts from an anchor, not by the wall",
            hint="use a spec of kind interval",
            pointer="/expr",
        )
    if text.lower() not in known.aliases:
        raise _syntax(
            f"{known.tag} has no {text[:20]!r}",
            f"use one of {', '.join(sorted(known.aliases)) or 'five columns'}",
        )
    return ALIASES[text.lower()]


def _wrong_count(known: Dialect, count: int) -> ScheduleInvalid:
    forms = " or ".join(
        f"{len(layout)} ({', '.join(TITLES[name] for name in layout)})" for layout in known.layouts
    )
    return _syntax(f"{count} columns", f"{known.tag} has {forms}")


def _syntax(what: str, hint: str) -> ScheduleInvalid:
    return ScheduleInvalid("schedule.cron_syntax", what, hint=hint, pointer="/expr", column=1)


def both_must_hold(known: Dialect, dom: Column, dow: Column) -> bool:
    """Whether a day must satisfy both columns of days, or either is enough."""
    columns = (dom, dow)
    if known.both == "star":
        return dom.starts_wild or dow.starts_wild
    if known.both == "bare":
        return any(item in ("*", "*/1") for column in columns for item in column.items)
    if known.both == "holds_star":
        return any("*" in column.text for column in columns)
    if known.both == "is_star":
        return _is_star(dom, dow, "dom") or _is_star(dow, dom, "dow")
    return True


def _is_star(column: Column, other: Column, name: str) -> bool:
    """For croniter a column that names every value is a star, if the other text holds one."""
    if any(item in ("*", "?") for item in column.items):
        return True
    low, high = BOUNDS[name]
    named = len(column.values) + len(column.back)
    return named == high - low + 1 and "*" in other.text.replace("?", "*")


def _croniter_days(known: Dialect, rule: DayRule, dom: Column, dow: Column) -> DayRule:
    """In croniter W and # are asked beside both columns, also where either would be enough.

    Where the two columns never meet it finds nothing at all. It counts items to see whether a
    column names every day, and L is one of them.
    """
    if known.both != "is_star":
        return rule
    if dom.back and len(dom.values) == BOUNDS["dom"][1] - 1 and "*" in dow.text.replace("?", "*"):
        return rule._replace(dom=MonthDays(frozenset(range(1, 32))), both=True)
    if rule.both:
        return rule
    counted = bool(dow.nth or dow.last)
    if (counted or dom.near) and not rule._replace(both=True).ever():
        return rule._replace(months=frozenset())
    if counted and dom.near:
        return rule._replace(both=True)
    if counted:
        return rule._replace(dom=MonthDays())
    if dom.near:
        return rule._replace(dow=WeekDays())
    return rule


def _refuse_mixtures(known: Dialect, dom: Column, dow: Column) -> None:
    if known.both == "question" and (dom.text == "?") == (dow.text == "?"):
        raise ScheduleInvalid(
            "schedule.cron_syntax",
            f"in {known.tag} exactly one of the two columns of days is ?",
            hint="write ? for the one that does not matter",
            pointer="/expr",
        )
    if known.both == "is_star" and dow.values and (dow.nth or dow.last):
        raise ScheduleInvalid(
            "schedule.cron_syntax",
            "croniter takes plain weekdays or counted ones, not both in one list",
            hint="use two specs",
            pointer="/expr",
        )


def _times(columns: Mapping[str, Column], days: DayCache) -> DayTimes | None:
    hour, minute, second = columns["hour"], columns["minute"], columns["second"]
    if not (hour.values and minute.values and second.values):
        return None
    return DayTimes(
        days,
        tuple(h * _MINUTES + m for h in sorted(hour.values) for m in sorted(minute.values)),
        tuple(sorted(second.values)),
        wildcard=hour.starts_wild or minute.starts_wild,
        daily=not hour.starts_wild,
    )
