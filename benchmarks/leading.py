"""A leader with threads on a real store, and schedules to lead. Fires go nowhere, or to an engine.

`written` makes the file a process finds on its host, so that who loads it starts with nothing
known: no zone, no cron text, no module.
"""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from z4j_core.clock import SystemClock
from z4j_core.invoke import Outcome
from z4j_core.scheduler.document import Replica, read_definition
from z4j_core.scheduler.leader import Found, Loop, Settings, Status
from z4j_core.scheduler.lease import Lease, LeaseStore, group_of
from z4j_core.scheduler.leases.redis import RedisStore
from z4j_core.scheduler.snapshot import Snapshot, sealed_for
from z4j_core.scheduler.snapshot import written as file_of
from z4j_core.wire.keys import Credential, Secret

REDIS = os.environ.get("Z4J_TEST_REDIS", "redis://127.0.0.1:6379") + "/15"
CLOCK = SystemClock()
GROUP = ("bench", "celery", "shop")
KEY = Credential(bytes(16), 1, Secret(bytes(range(32))))
ZONES = (
    "UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "Europe/London",
    "America/Sao_Paulo", "Asia/Kolkata",
)  # fmt: skip
FAR_MS = 3_600_000
Rows = dict[bytes, bytes]


class Host:
    """A host that keeps what it is told; `place` enqueues, or says that it did."""

    def __init__(self, held: Snapshot, place: Callable[[Any], str] | None = None) -> None:
        self.held = held
        self.lags: list[float] = []
        self._place = place
        self._wanted = 0
        self._all = threading.Event()

    def snapshot(self) -> Snapshot:
        return self.held

    def place(self, job: Any, enq: int, deadline_s: float) -> Outcome:
        return Outcome(value=job.id if self._place is None else self._place(job))

    def end(self, fire_id: str, how: object) -> None:
        """Nothing runs."""

    def fetch(self, fire_id: str) -> Found:
        return Found.UNKNOWN

    def brain_ms(self) -> None:
        """It was never heard."""

    def refresh(self) -> None:
        """Nobody knows more than the schedules say."""

    def tell(self, fact: Any) -> None:
        if fact.status is Status.SENT:
            self.lags.append(CLOCK.wall_us() / 1000 - fact.due_ms)
            if len(self.lags) == self._wanted:
                self._all.set()

    def note(self, code: str, text: str) -> None:
        raise AssertionError(f"{code}: {text}")

    def sent(self, count: int, within_s: float) -> None:
        """Wait until so many were sent.

        Raises:
            RuntimeError: they were not.
        """
        self._wanted = count
        if len(self.lags) < count and not self._all.wait(within_s):
            raise RuntimeError(f"only {len(self.lags)} of {count} were sent")

    @property
    def lag_p99_ms(self) -> float:
        """From due to told as sent."""
        return statistics.quantiles(self.lags, n=100)[98]


def row(number: int, specs: list[Any], created_ms: int, **more: Any) -> tuple[bytes, bytes]:
    """A schedule as agents hold it."""
    document = {"name": f"n{number}", "task": "work", "specs": specs, "kwargs": {"n": number}}
    name = str(UUID(int=number + (1 << 100)))
    definition = read_definition(document | more)
    held = Replica(name, 1, 1, created_ms, created_ms, definition)
    return UUID(name).bytes, held.encoded()


def mixed(count: int, now_ms: int) -> Rows:
    """Schedules of many kinds, none due within the hour.

    Three of four are cron texts at any minute, on all days or some, in eight zones: 46,000 of them
    differ. The others are periods, and single times.
    """
    chance, found, number = random.Random(1), {}, 0
    while len(found) < count:
        number += 1
        key, data = row(number, [_spec(chance, now_ms)], now_ms)
        if _is_far(data, now_ms):
            found[key] = data
    return found


def _spec(chance: random.Random, now_ms: int) -> dict[str, Any]:
    kind = chance.random()
    if kind < 0.75:
        days = chance.choice(("*", "*", "mon-fri", "sun"))
        text = f"{chance.randrange(60)} {chance.randrange(24)} * * {days}"
        return {"kind": "cron", "expr": text, "tz": chance.choice(ZONES)}
    if kind < 0.95:
        every = chance.choice((10_800, 21_600, 86_400))
        return {"kind": "interval", "every": every, "anchor": chance.choice(("created", "epoch"))}
    return {"kind": "once", "at": instant(now_ms + FAR_MS + chance.randrange(10**8))}


def _is_far(data: bytes, now_ms: int) -> bool:
    from z4j_core.scheduler.document import read_replica

    slot = read_replica(data).planned().trigger.next(now_ms)
    return slot is not None and slot.at_ms > now_ms + FAR_MS


def due_at(count: int, at_ms: int, within_ms: int = 0, first: int = 0) -> Rows:
    """Schedules of a thousand timings that are due at an instant, or spread behind it."""
    found = {}
    for number in range(count):
        anchor = instant(at_ms + number * within_ms // count - 3_600_000 * (1 + number % 1_000))
        spec = {"kind": "interval", "every": 3_600, "anchor": anchor}
        found.update([row(first + number, [spec], at_ms - 60_000)])
    return found


def instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def snapshot_of(rows: Rows, revision: int = 1) -> Snapshot:
    """A sealed snapshot of the group of the bench."""
    return sealed_for(Snapshot(1, revision, *GROUP, rows, {}), [KEY])


def write_mixed(path: str, count: int) -> None:
    """The file of a group of `count` schedules. To be called in another process."""
    now_ms = CLOCK.wall_us() // 1000
    Path(path).write_bytes(file_of(snapshot_of(mixed(count, now_ms))))


def redis_store() -> RedisStore:
    """A store of a group of its own."""
    group = group_of(os.urandom(6).hex(), *GROUP[1:])
    return RedisStore(lambda: redis.Redis.from_url(REDIS), group, CLOCK.boottime)


def led_before(store: LeaseStore) -> None:
    """Leave the store as a leader before left it: a new leader would leave an empty one alone."""
    lease = store.acquire("before", ttl_ms=5_000, fp="", rev="")
    assert isinstance(lease, Lease)
    store.release(lease)


@contextmanager
def led(host: Host, store: LeaseStore | None = None) -> Iterator[Loop]:
    """A loop, stopped behind the block; without a store it is one in Redis."""
    used = store or redis_store()
    led_before(used)
    loop = Loop(used, host, CLOCK, Settings(os.urandom(8).hex(), "", 60_000), os.urandom)
    loop.start()
    try:
        yield loop
    finally:
        loop.stop(5)
        used.close()


def loaded(loop: Loop) -> None:
    """Wait until a leader has looked at all its schedules."""
    while loop.loading or not loop.is_leading:
        time.sleep(0.002)


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6
