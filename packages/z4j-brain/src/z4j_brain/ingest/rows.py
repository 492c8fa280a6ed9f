"""Rows while they are folded: values in column order, and where each came from."""

from __future__ import annotations

from typing import Any, NamedTuple

Values = list[Any]
Fields = tuple[Any, ...]


class Meta(NamedTuple):
    """What a stream says about the process that stated the fact."""

    host: str | None = None
    release: str | None = None
    environment: str | None = None
    tags: dict[str, str] | None = None


class AttemptRow:
    """One attempt being folded."""

    __slots__ = ("changed", "new", "origin", "values")

    def __init__(self, values: Values, origin: list[int], *, new: bool) -> None:
        self.values = values
        self.origin = origin
        self.new = new
        self.changed = new


class TaskRow:
    """One task being folded, with the attempts that are known."""

    __slots__ = ("attempts", "new", "origin", "values")

    def __init__(self, values: Values, origin: list[int], *, new: bool) -> None:
        self.values = values
        self.origin = origin
        self.new = new
        self.attempts: dict[tuple[int, int], AttemptRow] = {}
