"""Windows in which nothing fires. The rule: a window is start <= t < end, whatever made it."""

from __future__ import annotations

from typing import NamedTuple

from .slots import Timing

_CHAINED = 32


class Window(NamedTuple):
    """A stretch of milliseconds, start <= t < end; `defer` moves what is due to its end."""

    start_ms: int
    end_ms: int
    defer: bool


class Blackout:
    """One window, or one behind each slot of a timing."""

    __slots__ = ("_defer", "_length_ms", "_opens", "_window")

    def __init__(
        self,
        window: tuple[int, int] | None,
        opens: Timing | None = None,
        length_ms: int = 0,
        *,
        defer: bool,
    ) -> None:
        self._window = window
        self._opens = opens
        self._length_ms = length_ms
        self._defer = defer

    def at(self, at_ms: int) -> Window | None:
        """The window an instant is in; the last one, where they overlap."""
        if self._window is not None:
            start, end = self._window
        else:
            assert self._opens is not None
            opened = self._opens.prev(at_ms + 1)
            if opened is None:
                return None
            start, end = opened.at_ms, opened.at_ms + self._length_ms
        return Window(start, end, self._defer) if start <= at_ms < end else None


class Verdict(NamedTuple):
    """What blackouts make of a slot: due at `due_ms`, or dropped where that is None.

    From `since_ms` to before `until_ms` every slot that is not dropped has the same due time.
    """

    due_ms: int | None
    since_ms: int
    until_ms: int


def judge(blackouts: tuple[Blackout, ...], at_ms: int) -> Verdict:
    """When a slot is due. What is deferred into another window is judged there again."""
    windows = _windows(blackouts, at_ms)
    if not windows:
        return Verdict(at_ms, at_ms, at_ms + 1)
    deciding = [window for window in windows if not window.defer] or windows
    since = min(window.start_ms for window in deciding)
    until = max(window.end_ms for window in deciding)
    due = at_ms
    for _ in range(_CHAINED):
        if not windows:
            return Verdict(due, since, due)
        if not all(window.defer for window in windows):
            break
        due = max(window.end_ms for window in windows)
        windows = _windows(blackouts, due)
    return Verdict(None, since, until)


def _windows(blackouts: tuple[Blackout, ...], at_ms: int) -> list[Window]:
    return [window for blackout in blackouts if (window := blackout.at(at_ms)) is not None]
