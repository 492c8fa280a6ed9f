"""Dates of an iCalendar file. The rule: a file is read for its dates, and nothing in it is run.

Whole-day and timed events count from their first to before their last day, as the wall of the
file shows them. Events that repeat by a rule are refused: dates are what a calendar here is.
Source: RFC 5545, sections 3.1 and 3.6.1.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from ..errors import ScheduleInvalid

MAX_BYTES = 1 << 20
MAX_DATES = 10_000
_LINE = re.compile(r"([A-Z-]+)((?:;[^:;\"]*(?:\"[^\"]*\")?)*):(.*)", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{6})Z?)?")


def dates_of(text: str) -> frozenset[date]:
    """The dates of all events of a file.

    Raises:
        ScheduleInvalid: schedule.calendar
    """
    if len(text) > MAX_BYTES:
        raise _wrong(f"{len(text)} characters", f"a calendar has at most {MAX_BYTES}")
    found: set[date] = set()
    event: dict[str, str] | None = None
    for line in _unfolded(text):
        match = _LINE.fullmatch(line)
        name, value = (match[1].upper(), match[3].strip()) if match else ("", "")
        if (name, value.upper()) == ("BEGIN", "VEVENT"):
            event = {}
        elif (name, value.upper()) == ("END", "VEVENT") and event is not None:
            found |= _days(event)
            event = None
        elif event is not None and name:
            event[name] = value
        if len(found) > MAX_DATES:
            raise _wrong(f"more than {MAX_DATES} dates", "split the calendar")
    return frozenset(found)


def _unfolded(text: str) -> list[str]:
    return re.sub(r"\r?\n[ \t]", "", text).splitlines()


def _days(event: dict[str, str]) -> set[date]:
    if "RRULE" in event:
        raise _wrong("an event that repeats by a rule", "export the calendar with single events")
    if "DTSTART" not in event:
        raise _wrong("an event without DTSTART", "export the calendar again")
    first, _ = _date(event["DTSTART"])
    last, ends_inside = _date(event.get("DTEND", event["DTSTART"]))
    length = (last - first).days + (1 if ends_inside or last == first else 0)
    if not 0 < length <= MAX_DATES:
        raise _wrong(f"an event of {length} days", "let it end after it starts")
    return {first + timedelta(days=day) for day in range(length)}


def _date(value: str) -> tuple[date, bool]:
    """A date, and whether it is a time inside of it rather than its beginning."""
    match = _DATE.fullmatch(value)
    if match is None:
        raise _wrong(f"no date {value[:40]!r}", "write 20261225 or 20261225T090000")
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise _wrong(f"no date {value[:40]!r}", "such a day does not exist") from error
    return day, bool(match[4]) and match[4] != "000000"


def _wrong(what: str, hint: str) -> ScheduleInvalid:
    return ScheduleInvalid("schedule.calendar", what, hint=hint)
