"""Where dialects count in a way of their own. The rule: as they do it, not as they should."""

from __future__ import annotations

import re

_SATURDAY = 6
_RANGE = re.compile(r"([^-/]*)-([^-/]*)(?:/([^-/]*))?")
_STEP = re.compile(r"\*/([0-9]+)", re.ASCII)
_DAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_DAY_NAMES = {name: number for number, day in enumerate(_DAYS) for name in (day, day[:3])}


def croniter_range(low: int, high: int, step: int, bounds: tuple[int, int]) -> list[int]:
    """A range of croniter.

    One that ends where it starts is the whole field, and a wrapped one whose step does not meet
    the border goes on a place later than it should.
    """
    first, last = bounds
    if low == high:
        low, high = bounds
    if low <= high:
        return list(range(low, high + 1, step))
    values = list(range(low, last + 1, step))
    left = last - values[-1]
    skipped = step - left if left + 1 < step else 0
    return values + list(range(first + skipped, high + 1, step))


def step_is_read(
    rule: str, step: int, item: tuple[int, int, int | None], bounds: tuple[int, int, int]
) -> bool:
    """Whether a dialect accepts a step.

    `item` is first, last and written last value, `bounds` the lowest, the highest, and the highest
    that may be written.
    """
    low, _, end = item
    if rule == "reach":
        return step <= bounds[2] and low + step <= bounds[2]
    if rule == "within":
        return step <= bounds[1] - bounds[0] and step <= (end or bounds[1]) - low
    return True


def pycron_item(item: str, name: str, low: int, high: int) -> tuple[list[int], bool]:
    """What pycron matches by one item, and whether it looks at the items behind it.

    It compares as it goes: what it cannot read matches nothing, and a range of weekdays that runs
    backwards answers for the whole list.
    """
    days = name == "dow"
    value = _pycron_number(item, days=days)
    if value is not None:
        return ([value] if low <= value <= high else []), True
    if item == "*" or (step := _STEP.fullmatch(item)) is None:
        return _pycron_range(item, (low, high), days=days)
    size = int(step[1])
    return (list(range(low, high + 1, size)) if size else []), True


def _pycron_range(item: str, bounds: tuple[int, int], *, days: bool) -> tuple[list[int], bool]:
    match = _RANGE.fullmatch(item)
    if match is None:
        return [], True
    # A range with a step knows names at its end alone.
    first = _pycron_number(match[1], days=days and match[3] is None)
    last = _pycron_number(match[2], days=days)
    step = 1 if match[3] is None else _pycron_number(match[3], days=days)
    if first is None or last is None or not step:
        return [], True
    if days and first > last:
        return list(range(first, _SATURDAY + 1)), False
    low, high = bounds
    return [value for value in range(first, min(last, high) + 1, step) if value >= low], True


def _pycron_number(text: str, *, days: bool) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)
    return _DAY_NAMES.get(text) if days else None
