"""A clock that tests move. The rule: time passes only by `advance`."""

from __future__ import annotations

from datetime import UTC, datetime


class FakeClock:
    """A `z4j_core.clock.Clock` that stands still."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        self._wall_us = int(start.timestamp() * 1_000_000)
        self._monotonic = 1000.0
        self._boottime = 2000.0

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on all three clocks."""
        self._wall_us += round(seconds * 1_000_000)
        self._monotonic += seconds
        self._boottime += seconds

    def suspend(self, seconds: float) -> None:
        """Put the machine to sleep: the monotonic clock does not count it."""
        self._wall_us += round(seconds * 1_000_000)
        self._boottime += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock; nothing else notices."""
        self._wall_us += round(seconds * 1_000_000)

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return self._wall_us

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._monotonic

    def boottime(self) -> float:
        """Seconds that never go back and count a suspend."""
        return self._boottime
