"""Patterns with `*` only. The rule: time never grows by powers of text or pattern.

Nothing of a user's pattern reaches `re` or `fnmatch`; SQL patterns are escaped here alone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, func

LAST = "\U0010ffff"


def glob_matches(pattern: str, text: str) -> bool:
    """Whether `text` as a whole fits `pattern`; case-sensitive."""
    head, *parts = pattern.split("*")
    if not parts:
        return text == pattern
    tail = parts.pop()
    if not text.startswith(head) or len(text) < len(head) + len(tail) or not text.endswith(tail):
        return False
    at, end = len(head), len(text) - len(tail)
    for part in parts:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def like_escape(text: str) -> str:
    """`text` as a literal inside a LIKE pattern whose escape is a backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def glob_escape(text: str) -> str:
    """`text` as a literal inside a GLOB pattern of SQLite."""
    return "".join(f"[{char}]" if char in "[?*" else char for char in text)


def has_prefix(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    """A range on the column's index: text sorts by code point on both databases."""
    return and_(column >= prefix, column < prefix + LAST)


def fits(column: ColumnElement[Any], pattern: str, *, sqlite: bool) -> ColumnElement[bool]:
    """The pattern as SQL: equality, a range for `abc*`, else GLOB or LIKE."""
    if "*" not in pattern:
        return column == pattern
    head = pattern.split("*", 1)[0]
    if pattern.strip("*") == head:
        return has_prefix(column, head) if head else column.is_not(None)
    if sqlite:
        literal = "*".join(map(glob_escape, pattern.split("*")))
        whole: ColumnElement[bool] = column.op("GLOB", is_comparison=True)(literal)
    else:
        whole = column.like(like_escape(pattern).replace("*", "%"), escape="\\")
    return and_(has_prefix(column, head), whole) if head else whole


def holds(column: ColumnElement[Any], text: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Substring regardless of the case of ASCII letters."""
    folded = func.lower(column if sqlite else column.collate("C"))
    return (
        func.instr(folded, ascii_lower(text)) > 0
        if sqlite
        else func.strpos(folded, ascii_lower(text)) > 0
    )


def ascii_lower(text: str) -> str:
    """Lower case of A-Z alone: the one folding both databases agree on."""
    return text.translate(_LOWER)


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
