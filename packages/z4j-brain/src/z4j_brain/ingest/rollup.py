"""Counts per minute. The rule: a rollup is what a recount of tasks and attempts would give.

Each row contributes; a batch adds what its rows contribute after it and takes away what they
contributed before. So late and contradicting facts move counts instead of adding to them.
"""

from __future__ import annotations

from ..db.histogram import Histogram, bucket_of
from .plan import ATT, COL
from .rows import TaskRow

MINUTE_US = 60_000_000
COUNTS = (
    "enqueued",
    "started",
    "succeeded",
    "failed",
    "retried",
    "cancelled",
    "expired",
    "lost",
    "runtime_sum_us",
    "wait_sum_us",
)
_N = {name: index for index, name in enumerate(COUNTS)}
_OF_STATE = {
    4: _N["lost"],
    5: _N["retried"],
    6: _N["expired"],
    7: _N["cancelled"],
    8: _N["failed"],
    9: _N["succeeded"],
}
_STARTED, _ENQUEUED = _N["started"], _N["enqueued"]
_RUNTIME_SUM, _WAIT_SUM = _N["runtime_sum_us"], _N["wait_sum_us"]

Key = tuple[int, str, str, str]
"""(minute, engine, task name, queue); "" = not known."""


class Bucket:
    """What one minute of one task name on one queue gains or loses."""

    __slots__ = ("counts", "runtime", "wait")

    def __init__(self) -> None:
        self.counts = [0] * len(COUNTS)
        self.runtime: Histogram = {}
        self.wait: Histogram = {}


class Rollup:
    """Gains and losses of one project in one transaction."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: dict[Key, Bucket] = {}

    def add(self, row: TaskRow, sign: int) -> None:
        """Add (sign 1) or take away (sign -1) what `row` contributes."""
        values = row.values
        engine, name, queue = values[2], values[_C_NAME] or "", values[_C_QUEUE] or ""
        if (enqueued := values[_C_ENQUEUED]) is not None:
            self._at(enqueued, engine, name, queue).counts[_ENQUEUED] += sign
        wait, started = values[_C_WAIT], values[_C_STARTED]
        if wait is not None and started is not None:
            bucket = self._at(started, engine, name, queue)
            bucket.counts[_WAIT_SUM] += sign * wait
            _count(bucket.wait, wait, sign)
        for part in row.attempts.values():
            self._attempt(part.values, (engine, name, queue), sign)

    def _attempt(self, values: list[object], place: tuple[str, str, str], sign: int) -> None:
        started, finished = values[_A_STARTED], values[_A_FINISHED]
        if isinstance(started, int):
            self._at(started, *place).counts[_STARTED] += sign
        if not isinstance(finished, int):
            return
        state = values[_A_STATE]
        ended = _OF_STATE.get(state) if isinstance(state, int) else None
        if ended is None:
            return
        bucket = self._at(finished, *place)
        bucket.counts[ended] += sign
        runtime = values[_A_RUNTIME]
        if isinstance(runtime, int):
            bucket.counts[_RUNTIME_SUM] += sign * runtime
            _count(bucket.runtime, runtime, sign)

    def _at(self, us: int, engine: str, name: str, queue: str) -> Bucket:
        key = (us // MINUTE_US, engine, name, queue)
        bucket = self.buckets.get(key)
        if bucket is None:
            bucket = self.buckets[key] = Bucket()
        return bucket


_C_NAME, _C_QUEUE, _C_ENQUEUED = COL["name"], COL["queue"], COL["enqueued"]
_C_WAIT, _C_STARTED = COL["wait_us"], COL["started"]
_A_STARTED, _A_FINISHED = ATT["started"], ATT["finished"]
_A_STATE, _A_RUNTIME = ATT["state"], ATT["runtime_us"]


def _count(histogram: Histogram, us: int, sign: int) -> None:
    bucket = bucket_of(us)
    histogram[bucket] = histogram.get(bucket, 0) + sign
