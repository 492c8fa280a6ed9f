"""The brain's clock, read here. The rule: between two words of the brain the boot clock goes on."""

from __future__ import annotations

from ..clock import Clock


class BrainTime:
    """What time it is by the brain; also while it is away, once it was heard."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: tuple[int, float] | None = None

    def hear(self, wall_us: int) -> None:
        """Take the brain's clock (microseconds since the epoch) as it has just arrived."""
        self._heard = (wall_us // 1000, self._clock.boottime())

    def now_ms(self) -> int | None:
        """Milliseconds since the epoch; None while the brain was never heard."""
        heard = self._heard
        if heard is None:
            return None
        return heard[0] + int((self._clock.boottime() - heard[1]) * 1000)
