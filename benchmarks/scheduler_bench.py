"""The leader: loading 100,000 schedules, lag of 1,000 due in one second, what it costs when idle.

`measure(quick)` also gives the figures of `cron_bench`, prefixed by `cron.`, and what celery beat
and APScheduler 3 take to load a tenth of that, measured in the same run. Fires go nowhere.
"""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import cron_bench
import redis
from z4j_core.clock import SystemClock
from z4j_core.invoke import Outcome
from z4j_core.scheduler.document import Replica, read_definition
from z4j_core.scheduler.leader import Found, Loop, Settings, Status
from z4j_core.scheduler.leases.redis import RedisStore
from z4j_core.scheduler.snapshot import Snapshot

REDIS = os.environ.get("Z4J_TEST_REDIS", "redis://127.0.0.1:6379") + "/15"
CLOCK = SystemClock()
ZONES = ("UTC", "Europe/Paris", "America/New_York")
DUE = 1_000
PEER_LOAD = 10_000
IDLE_S = 10.0


class Nowhere:
    """A host that places nothing and counts what it is told."""

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        self.held = Snapshot(1, 1, "p", "e", "a", rows, {})
        self.lags: list[float] = []
        self.all_sent = threading.Event()

    def snapshot(self) -> Snapshot:
        return self.held

    def place(self, job: Any, enq: int, deadline_s: float) -> Outcome:
        return Outcome(value=job.id)

    def end(self, fire_id: str, how: object) -> None:
        """Nothing runs."""

    def fetch(self, fire_id: str) -> Found:
        return Found.UNKNOWN

    def brain_ms(self) -> None:
        """Never heard."""

    def refresh(self) -> None:
        """Nobody knows more."""

    def tell(self, fact: Any) -> None:
        if fact.status is Status.SENT:
            self.lags.append(CLOCK.wall_us() / 1000 - fact.due_ms)
            if len(self.lags) >= DUE:
                self.all_sent.set()

    def note(self, code: str, text: str) -> None:
        raise AssertionError(f"{code}: {text}")


def daily(count: int) -> dict[bytes, bytes]:
    """Schedules at a minute of the day each, in three zones."""
    chance, now = random.Random(1), CLOCK.wall_us() // 1000
    rows = {}
    for number in range(count):
        text = f"{number % 60} {number % 24} * * *"
        spec = {"kind": "cron", "expr": text, "tz": ZONES[number % 3]}
        name = UUID(int=chance.getrandbits(128))
        definition = read_definition({"name": f"n{number}", "task": "work", "specs": [spec]})
        rows[name.bytes] = Replica(str(name), 1, 1, now, now, definition).encoded()
    return rows


def soon(count: int, at_ms: int) -> dict[bytes, bytes]:
    """Schedules that are due once, spread over the second from `at_ms` on."""
    rows, now = {}, CLOCK.wall_us() // 1000
    for number in range(count):
        at = datetime.fromtimestamp((at_ms + number * 1000 // count) / 1000, UTC).isoformat()
        name = UUID(int=number + 1)
        definition = read_definition(
            {"name": f"n{number}", "task": "work", "specs": [{"kind": "once", "at": at}]}
        )
        rows[name.bytes] = Replica(str(name), 1, 1, now, now, definition).encoded()
    return rows


def led(host: Nowhere) -> Loop:
    """A loop on Redis, with a group of its own."""
    store = RedisStore(
        lambda: redis.Redis.from_url(REDIS), f"bench/{os.urandom(6).hex()}/a", CLOCK.boottime
    )
    loop = Loop(store, host, CLOCK, Settings(os.urandom(8).hex(), "", 60_000), os.urandom)
    loop.start()
    return loop


def rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def load_and_idle(count: int, idle_s: float) -> dict[str, tuple[float, str]]:
    """Seconds until all are loaded, what that takes in memory, and CPU while nothing is due."""
    host = Nowhere(daily(count))
    before, begun = rss_mb(), time.perf_counter()
    loop = led(host)
    while loop.loading or not loop.is_leading:
        time.sleep(0.01)
    took, grown = time.perf_counter() - begun, rss_mb() - before
    used, begun = time.process_time(), time.perf_counter()
    time.sleep(idle_s)
    idle = (time.process_time() - used) / (time.perf_counter() - begun) * 100
    loop.stop(5)
    return {
        "load_100k_s": (took * 100_000 / count, "s"),
        "leader_rss_mb": (grown * 100_000 / count, "MB"),
        "idle_cpu_pct": (idle, "%"),
    }


def lag_p99_ms() -> float:
    """From due to told as sent, of 1,000 in one second."""
    host = Nowhere(soon(DUE, CLOCK.wall_us() // 1000 + 4_000))
    loop = led(host)
    if not host.all_sent.wait(60):
        raise RuntimeError(f"only {len(host.lags)} of {DUE} were sent")
    loop.stop(5)
    return statistics.quantiles(host.lags, n=100)[98]


def peers() -> dict[str, tuple[float, str]]:
    """Seconds celery beat and APScheduler 3 take to load and order their schedules."""
    found = {}
    try:
        from celery import Celery
        from celery.beat import Scheduler
        from celery.schedules import crontab
    except ImportError:
        pass
    else:
        app = Celery("bench", set_as_current=False)
        app.conf.beat_schedule = {
            f"n{n}": {"task": "work", "schedule": crontab(minute=n % 60, hour=n % 24)}
            for n in range(PEER_LOAD)
        }
        begun = time.perf_counter()
        scheduler = Scheduler(app)
        scheduler.merge_inplace(app.conf.beat_schedule)
        scheduler.populate_heap()
        found["celery_beat_load_10k_s"] = (time.perf_counter() - begun, "s")
    try:
        from apscheduler.schedulers.background import BackgroundScheduler
        from apscheduler.triggers.cron import CronTrigger
    except ImportError:
        pass
    else:
        background = BackgroundScheduler(timezone="UTC")
        begun = time.perf_counter()
        background.start(paused=True)
        for n in range(PEER_LOAD // 10):
            background.add_job(print, CronTrigger(minute=n % 60, hour=n % 24, timezone="UTC"))
        found["apscheduler_load_10k_s"] = ((time.perf_counter() - begun) * 10, "s")
        background.shutdown(wait=False)
    return found


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """All figures; a quick run loads a tenth."""
    count = 10_000 if quick else 100_000
    figures = load_and_idle(count, 2.0 if quick else IDLE_S)
    figures["lag_p99_ms"] = (lag_p99_ms(), "ms")
    figures |= peers()
    rows = [{"name": n, "value": round(v, 3), "unit": unit} for n, (v, unit) in figures.items()]
    cron = [{**row, "name": f"cron.{row['name']}"} for row in cron_bench.measure(quick)]
    return rows + cron
