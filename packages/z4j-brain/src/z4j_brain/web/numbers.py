"""Numbers as the API shows them. The rule: a number is a link, its `q` opens what it counts."""

from __future__ import annotations

from typing import Any


def num(value: int, q: str | None = None, *, approx: bool = False) -> dict[str, Any]:
    """A count with the query whose list counts the same."""
    return {"value": value, "approx": approx, "q": q}


def ms(us: int | None) -> int | None:
    """Milliseconds of a time in microseconds."""
    return None if us is None else us // 1000


def quoted(text: str) -> str:
    """`text` as a value of the query language that matches exactly itself."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
