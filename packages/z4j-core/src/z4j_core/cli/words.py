"""Text for terminals. The rule: what a task says moves no cursor and hides nothing."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_US_PER_MS, _US_PER_S = 1_000, 1_000_000
_SHORT_S = 10


def plain(value: object, limit: int = 0) -> str:
    """`value` as text in which controls, bidi and invisible characters are spelt out."""
    text = "" if value is None else str(value)
    if limit and len(text) > limit:
        text = text[: limit - 1] + "…"
    return "".join(char if char.isprintable() else _spelt(char) for char in text)


def _spelt(char: str) -> str:
    number = ord(char)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004 - UTF-16


def lines(text: str | None) -> str:
    """Several lines, each of them plain."""
    return "\n".join(plain(line) for line in (text or "").splitlines())


def span(us: int | None) -> str:
    """A duration in one unit."""
    if us is None:
        return "—"
    if us < _US_PER_S:
        return f"{us // _US_PER_MS} ms" if us >= _US_PER_MS else f"{us} µs"
    seconds = us / _US_PER_S
    if seconds < _SHORT_S:
        return f"{seconds:.1f} s"
    size, unit = next(each for each in _UNITS if seconds >= each[0])
    return f"{int(seconds // size)} {unit}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
