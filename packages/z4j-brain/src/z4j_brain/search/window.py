"""The range of a page. The rule: an unknown range is an error, not a default."""

from __future__ import annotations

from ..errors import Invalid

_US = 1_000_000
RANGES = {
    "15m": 900 * _US,
    "1h": 3_600 * _US,
    "6h": 21_600 * _US,
    "24h": 86_400 * _US,
    "7d": 604_800 * _US,
    "30d": 2_592_000 * _US,
}
DEFAULT = "1h"
MAX_DIGITS = 14


def window(text: str, now_us: int) -> tuple[int, int]:
    """(from, to) in µs of `15m` … `30d`, `all`, or `<from ms>..<to ms>`; empty means one hour.

    Raises:
        Invalid: none of these.
    """
    text = text or DEFAULT
    if text == "all":
        return 0, now_us
    if text in RANGES:
        return now_us - RANGES[text], now_us
    first, dots, last = text.partition("..")
    if not dots or not all(map(_is_time, (first, last))):
        known = ", ".join(RANGES)
        raise Invalid("request.invalid", f"range is {known}, all or <ms>..<ms>", field="range")
    return int(first) * 1000, int(last) * 1000


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


def step_us(from_us: int, to_us: int) -> int:
    """Width of a chart's bucket: 1 min to 6 h, 10 min to 2 d, 1 h to 14 d, else a day."""
    width = to_us - from_us
    for most_h, minutes in ((6, 1), (48, 10), (336, 60)):
        if width <= most_h * 3_600 * _US + 60 * _US:
            return minutes * 60 * _US
    return 86_400 * _US
