"""The leader: loading 100,000 schedules, doing nothing, an edit, lag of 1,000 due in one second.

`measure(quick)` also gives the figures of `cron_bench`, prefixed by `cron.`. Schedules are loaded
as a process finds them on its host: a file, whose seal is proven. Fires go nowhere.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import cron_bench
from leading import (
    CLOCK,
    GROUP,
    KEY,
    Host,
    due_at,
    instant,
    led,
    loaded,
    row,
    rss_mb,
    snapshot_of,
    write_mixed,
)
from z4j_core.scheduler.leader import Loop
from z4j_core.scheduler.snapshot import applied, pages, prove, read

DUE = 1_000
IDLE_S = 10.0
EDITS = 5
LAGS = 3


def file_of(count: int, folder: str) -> Path:
    """A file of schedules, made by another process."""
    path = Path(folder) / "schedules.bin"
    other = multiprocessing.get_context("spawn").Process(target=write_mixed, args=(path, count))
    other.start()
    other.join()
    return path


def loading(count: int, idle_s: float) -> dict[str, tuple[float, str]]:
    """What it takes to load a file and lead by it, to do nothing, and to follow an edit.

    Memory is what the schedules and their leader add to a process that has imported both.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, before = file_of(count, folder), rss_mb()
        begun, used = time.perf_counter(), time.process_time()
        held = read(path.read_bytes())
        prove(held, KEY, GROUP)
        proven = time.process_time() - used
        host = Host(held)
        with led(host) as loop:
            loaded(loop)
            took, cpu = time.perf_counter() - begun, time.process_time() - used
            grown = rss_mb() - before
            used, begun = time.process_time(), time.perf_counter()
            time.sleep(idle_s)
            idle = (time.process_time() - used) / (time.perf_counter() - begun) * 100
            edit = edit_ms(host, loop)
    scale = 100_000 / count
    return {
        "load_100k_s": (took * scale, "s"),
        "load_100k_cpu_s": (cpu * scale, "s"),
        "prove_100k_cpu_s": (proven * scale, "s"),
        "leader_rss_mb": (grown * scale, "MB"),
        "idle_cpu_pct": (idle, "%"),
        "edit_visible_ms": (edit, "ms"),
    }


def edit_ms(host: Host, loop: Loop) -> float:
    """From the page that brings a schedule, which is due, until it was fired; the worst of some."""
    worst = 0.0
    for number in range(EDITS):
        held, now_ms = host.held, CLOCK.wall_us() // 1000
        key, data = row(10**7 + number, [{"kind": "once", "at": instant(now_ms)}], now_ms - 60_000)
        parts = pages(snapshot_of({**held.schedules, key: data}, held.revision + 1), held)
        begun = time.perf_counter()
        host.held = applied(held, GROUP[0], parts)
        prove(host.held, KEY, GROUP)
        loop.wake()
        host.sent(number + 1, 30)
        worst = max(worst, (time.perf_counter() - begun) * 1000)
    return worst


def lag_p99_ms(rounds: int) -> list[float]:
    """From due to told as sent, of 1,000 spread over a second; one for each round."""
    found = []
    for _ in range(rounds):
        host = Host(snapshot_of(due_at(DUE, CLOCK.wall_us() // 1000 + 2_500, within_ms=1_000)))
        with led(host):
            host.sent(DUE, 60)
        found.append(host.lag_p99_ms)
    return found


def measure(quick: bool = False) -> list[dict[str, Any]]:
    """All figures; a quick run loads a tenth."""
    figures = loading(10_000 if quick else 100_000, 2.0 if quick else IDLE_S)
    lags = lag_p99_ms(1 if quick else LAGS)
    figures["lag_p99_ms"] = (statistics.median(lags), "ms")
    rows = [{"name": n, "value": round(v, 3), "unit": unit} for n, (v, unit) in figures.items()]
    rows[-1] |= {"runs": len(lags), "spread": round(max(lags) - min(lags), 3)}
    cron = [{**each, "name": f"cron.{each['name']}"} for each in cron_bench.measure(quick)]
    return rows + cron
