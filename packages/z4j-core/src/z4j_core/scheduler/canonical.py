"""Any dialect rewritten as `cron`. The rule: equal slots, or no answer.

A star at the start of a text decides more than its values: whether both columns of days must hold,
and what a change of the clock does. It is kept where it was and never put where it was not, but
for one use: a column of days that holds its own first value can say `*/31` or `*/7` for it, and so
ask for both columns.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ScheduleInvalid
from .cron import MAX_TEXT, Cron, parse
from .dialects import BOUNDS
from .written import Column

_ORDER = ("minute", "hour", "dom", "month", "dow")
_ROW = 3


def canonical(text: str, tag: str, seed: str = "") -> str:
    """A text of any dialect as one of `cron`, with equal slots under the same policy for clocks.

    Raises:
        ScheduleInvalid: the text is wrong, or schedule.dialect where `cron` cannot say it
    """
    read = parse(text, tag, seed)
    if read.rule.years is not None:
        raise _cannot(tag, "a year", "end_at and start_at bound a schedule")
    written = {name: _plain(read.columns[name], name) for name in ("minute", "hour", "month")}
    written["dom"], written["dow"] = _days(read, tag)
    words = [written[name] for name in _ORDER]
    if read.times.seconds != (0,):
        words.insert(0, _plain(read.columns["second"], "second"))
    said = " ".join(words)
    if len(said) > MAX_TEXT:
        raise _cannot(tag, "so many values", "split it into several specs")
    return said


def _days(read: Cron, tag: str) -> tuple[str, str]:
    rule = read.rule
    dom, dow = _dom(read), _dow(read)
    every_dom = len(rule.dom.days) == BOUNDS["dom"][1]
    every_dow = len(rule.dow.days) == BOUNDS["dow"][1] + 1
    if rule.both and every_dom:
        return "*", "*" if every_dow else dow
    if rule.both and every_dow:
        return dom, "*"
    if not rule.both:
        if dom and dow:
            return dom, dow
        return "*" if every_dom else dom or "*", "*" if every_dow else dow or "*"
    if 1 in rule.dom.days:
        return _starred("*/31", 1, dom, rule.dom.days), dow
    if 0 in rule.dow.days:
        return dom, _starred("*/7", 0, dow, rule.dow.days)
    raise _cannot(tag, "a day of the month that must also be a given weekday", "keep its dialect")


def _starred(star: str, value: int, written: str, days: frozenset[int]) -> str:
    """A column that starts with a star and means what it meant."""
    plain = _numbers(days)
    rest = [word for word in (_numbers(days - {value}), _beyond(written, plain)) if word]
    return ",".join([star, *rest])


def _beyond(written: str, plain: str) -> str:
    """What a column says behind its plain numbers."""
    return written.removeprefix(plain).removeprefix(",")


def _dom(read: Cron) -> str:
    dom = read.rule.dom
    words = [_numbers(dom.days)] if dom.days else []
    words += [f"L-{back}" if back else "L" for back in sorted(dom.last)]
    words += [f"{day}W" for day in sorted(dom.near)]
    return ",".join([*words, *(["LW"] if dom.last_weekday else [])])


def _dow(read: Cron) -> str:
    dow = read.rule.dow
    words = [_numbers(dow.days)] if dow.days else []
    words += [f"{day}#{nth}" for day, nth in sorted(dow.nth)]
    return ",".join([*words, *(f"{day}L" for day in sorted(dow.last))])


def _plain(column: Column, name: str) -> str:
    """A column of plain values, with a star in front where it had one."""
    low, high = BOUNDS[name]
    values = frozenset(column.values)
    if name == "month":
        return "*" if len(values) == high else _numbers(values)
    if not column.starts_wild:
        return _numbers(values)
    if len(values) == high - low + 1:
        return "*"
    item = column.items[0]
    if not item.partition("/")[2]:
        raise _cannot("pycron", "a star in a list", "take the star out: it matches nothing there")
    step = min(int(item.partition("/")[2]), high - low + 1)
    rest = values - frozenset(range(low, high + 1, step))
    return f"*/{step},{_numbers(rest)}" if rest else f"*/{step}"


def _numbers(values: Iterable[int]) -> str:
    """Values as ranges, or as one range with a step where that is all of them."""
    row = sorted(values)
    step = row[1] - row[0] if len(row) >= _ROW else 1
    if step > 1 and row == list(range(row[0], row[-1] + 1, step)):
        return f"{row[0]}-{row[-1]}/{step}"
    words: list[str] = []
    while row:
        length = next((n for n in range(1, len(row)) if row[n] != row[0] + n), len(row))
        if length >= _ROW:
            words.append(f"{row[0]}-{row[length - 1]}")
        else:
            words += map(str, row[:length])
        row = row[length:]
    return ",".join(words)


def _cannot(tag: str, what: str, hint: str) -> ScheduleInvalid:
    return ScheduleInvalid(
        "schedule.dialect",
        f"cron cannot say {what} as {tag} does",
        hint=hint,
        pointer="/expr",
    )
