"""Time as a thing that is passed in. The rule: nobody else asks the system for the time."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What code may ask about time."""

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC; for display only, it may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; stops while the machine sleeps."""
        ...

    def boottime(self) -> float:
        """Seconds that never go back and count a suspend, where the platform can tell."""
        ...


class SystemClock:
    """The real clock of this machine."""

    __slots__ = ()

    def wall_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def boottime(self) -> float:
        """Seconds of CLOCK_BOOTTIME, else of the monotonic clock."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()


def stamp_ns() -> int:
    """Nanoseconds since 1970 that the kernel would stamp a file with now, or a little less.

    It moves in ticks of up to 10 ms, as time stamps of files may.
    """
    return time.clock_gettime_ns(getattr(time, "CLOCK_REALTIME_COARSE", time.CLOCK_REALTIME))
