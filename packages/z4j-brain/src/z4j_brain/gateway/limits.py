"""What strangers may cost. The rule: refused before any look-up, remembered without growing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MAX_PENDING = 256
MAX_PENDING_OF_ADDRESS = 64
ITEMS_PER_S = 5_000.0
BURST = 50_000.0
_REMEMBERED = 1_000


class TooMany(Exception):
    """More handshakes are pending than this brain allows."""


class Pending:
    """Handshakes that are not proven yet."""

    def __init__(self) -> None:
        self._by_address: Counter[str] = Counter()
        self._total = 0

    @contextmanager
    def handshake(self, address: str) -> Iterator[None]:
        """Count one handshake while the block runs.

        Raises:
            TooMany: the block must not run.
        """
        if self._total >= MAX_PENDING or self._by_address[address] >= MAX_PENDING_OF_ADDRESS:
            raise TooMany
        self._total += 1
        self._by_address[address] += 1
        try:
            yield
        finally:
            self._total -= 1
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]


class Remembered:
    """Whether something was said less than `every_s` ago; bounded."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._said: dict[tuple[str, ...], float] = {}

    def is_new(self, what: tuple[str, ...], now: float) -> bool:
        """True at most once per `every_s` for the same thing; `now` is monotonic seconds."""
        last = self._said.get(what)
        if last is not None and now - last < self._every_s:
            return False
        self._said.pop(what, None)
        self._said[what] = now
        while len(self._said) > _REMEMBERED:
            del self._said[next(iter(self._said))]
        return True


class Quota:
    """Items per second of one credential, with a burst."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: float) -> None:
        self._left = BURST
        self._at = now

    def take(self, items: int, now: float) -> float:
        """Seconds to pause after these items; 0 when within the quota."""
        self._left = min(BURST, self._left + (now - self._at) * ITEMS_PER_S) - items
        self._at = now
        return max(0.0, -self._left / ITEMS_PER_S)
