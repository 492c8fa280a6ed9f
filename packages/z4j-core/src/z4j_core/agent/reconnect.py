"""When to dial again. The rule: the agent never stops trying, and the table says how often.

Delay before try n = uniform(0, min(cap, base * 2^n)), at least 100 ms; n starts anew after a
session was open for 60 s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

FLOOR_S = 0.1
STEADY_S = 60.0
SETUP_S = 600.0
DEFAULT_CAP_S = 30.0
QUIET_S = 60.0
HOURLY_S = 3600.0


class Row(NamedTuple):
    """How one cause is met. `cap_s` None = the cap the brain sent (30 s before any WELCOME)."""

    base_s: float
    cap_s: float | None
    code: str
    loud: bool


AWAY = Row(0.5, None, "Z4J-E106", loud=False)
CAUSES: dict[int, Row] = {
    4400: Row(5, 60, "Z4J-E108", loud=True),
    4401: Row(5, 300, "Z4J-E110", loud=True),
    4403: Row(5, 300, "Z4J-E111", loud=True),
    4404: Row(30, 300, "Z4J-E112", loud=True),
    4406: Row(30, 300, "Z4J-E113", loud=True),
    4408: AWAY,
    4409: Row(5, 60, "Z4J-E106", loud=False),
    4410: Row(0.5, 5, "Z4J-E106", loud=False),
    4421: Row(0.5, 5, "Z4J-E116", loud=True),
    4413: Row(1, 60, "Z4J-E108", loud=False),
    4426: Row(60, 300, "Z4J-E114", loud=True),
    4429: Row(5, 300, "Z4J-E115", loud=True),
    4500: AWAY,
    4503: Row(0.5, 3, "Z4J-E106", loud=False),
}
"""Authenticated causes; everything else is "away". So is 4408, silence: it is the network's.

4421 alone is a hint of whoever answers a request: it only makes the agent dial sooner.
"""

LASTING = frozenset({CAUSES[4421].code})
"""Trouble that a session which came about by chance does not end."""

_TOLD_BY = {"Z4J-E110": "Z4J-E111"}
"""Of a key that was revoked each later try says only that it is not proven: one cause, one line."""

KEY_REFUSED = 4401
SUPERSEDED = 4409
DRAINING = 4503
GAP = 4410
ELSEWHERE = 4421
_AT_ONCE = frozenset({GAP, ELSEWHERE})


class Backoff:
    """Delays between tries. `entropy(n)` gives n random bytes."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._tries = 0
        self.cap_s = DEFAULT_CAP_S

    def opened(self, lasted_s: float) -> None:
        """Note how long a session was open (seconds)."""
        if lasted_s >= STEADY_S:
            self._tries = 0

    def delay(self, cause: int, since_start_s: float, retry_after_s: float = 0.0) -> float:
        """Seconds to wait before the next try after `cause` (0 = away)."""
        row = CAUSES.get(cause, AWAY)
        if cause == DRAINING:
            return max(FLOOR_S, retry_after_s + self._uniform(row.cap_s or 0.0))
        if cause in _AT_ONCE and self._tries == 0:
            self._tries = 1
            return FLOOR_S
        cap = self._cap(cause, row, since_start_s)
        limit = min(cap, row.base_s * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return max(FLOOR_S, retry_after_s, self._uniform(limit))

    def _cap(self, cause: int, row: Row, since_start_s: float) -> float:
        if row.cap_s is None:
            return self.cap_s
        if cause == KEY_REFUSED and since_start_s < SETUP_S:
            return 60.0
        return row.cap_s

    def _uniform(self, limit: float) -> float:
        return limit * int.from_bytes(self._entropy(4), "big") / 0xFFFFFFFF


class Complaints:
    """Which trouble is said aloud and how often: each cause once, then hourly.

    "Away" is silent for its first minute, since brains are restarted.
    """

    def __init__(self, say: Callable[[str, str], None]) -> None:
        self._say = say
        self._since: float | None = None
        self._said: dict[str, float] = {}

    def connected(self) -> None:
        """Trouble is over, as far as a session shows that."""
        self._since = None
        self._said = {code: at for code, at in self._said.items() if code in LASTING}

    def tell(self, code: str, text: str, *, loud: bool, now: float, kept: str = "") -> None:
        """Say one line now, later or not again yet.

        `now` is monotonic seconds, `kept` how full the spool is.
        """
        if self._since is None:
            self._since = now
        if _TOLD_BY.get(code) in self._said:
            return
        if not loud and now - self._since < QUIET_S:
            if code not in self._said:
                self._said[code] = now - HOURLY_S + QUIET_S
                held = f" ({kept})" if kept else ""
                self._say("info", f"{code} {text}, retrying; events are kept{held}")
            return
        if now - self._said.get(code, -HOURLY_S) >= HOURLY_S:
            self._said[code] = now
            self._say("error" if loud else "warning", f"{code} {text}")
