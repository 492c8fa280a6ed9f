"""What one event costs in the thread of the host: preview, item, frame and one write.

Times are microseconds of wall time in the calling thread. `floor_us` is what this machine takes for
the least one could do, encoding, summing and writing one event: 1.2 µs where the budgets were set.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from types import MappingProxyType
from typing import Any
from zlib import crc32

from msgpack import Packer
from quiet import Figure, figure, quiet
from z4j_core import Delivery, EventKind, TaskEvent
from z4j_core.agent.boot import Handle
from z4j_core.config import load
from z4j_core.wire.dsn import Dsn
from z4j_core.wire.keys import Credential, Secret

EVENTS = 40_000
IMPORT_RUNS = 12


class Still:
    """An engine that only lets itself be observed."""

    name, app, delivery = "still", "bench", Delivery()
    unavailable = MappingProxyType({})

    def attach(self, emit: Any) -> None:
        self.emit = emit

    def detach(self) -> None:
        pass

    def discover(self) -> list[Any]:
        return []

    def enqueue(self, job: Any) -> str:
        return ""


def measure(quick: bool = False) -> list[Figure]:
    """What a fact takes in the host's thread, over several agents, and what an import takes."""
    rounds, events = (2, 6_000) if quick else (12, EVENTS)
    taken = [_hook(events) for _ in range(rounds)]
    imports = [_import_ms() for _ in range(3 if quick else IMPORT_RUNS)]
    return [
        _lowest("hook_p50_us", [statistics.median(one) for one in taken], "µs"),
        _lowest("hook_p99_us", [one[int(len(one) * 0.99)] for one in taken], "µs"),
        _lowest("hook_mean_us", [statistics.fmean(one) for one in taken], "µs"),
        _lowest("floor_us", [_floor(events) for _ in range(rounds)], "µs"),
        _lowest("import_ms", imports, "ms"),
    ]


def _lowest(name: str, values: list[float], unit: str) -> Figure:
    return figure(name, quiet, values, unit)


def _hook(events: int) -> list[float]:
    dsn = Dsn("http", "127.0.0.1", 9, "", "bench", Credential(b"b" * 16, 1, Secret(b"s" * 32)))
    with tempfile.TemporaryDirectory() as folder:
        handle = Handle(load({"dsn": dsn.reveal(), "spool_dir": folder, "engines": ["none"]}, {}))
        handle.start()
        engine = Still()
        handle.attach(engine)
        try:
            return sorted(_one(engine.emit, number) for number in range(events))
        finally:
            handle.close(0.1)


def _one(emit: Any, number: int) -> float:
    """One event of a worker's usual three per task: received, started, succeeded."""
    task, step = divmod(number, 3)
    event = TaskEvent(
        (EventKind.RECEIVED, EventKind.STARTED, EventKind.SUCCEEDED)[step],
        f"4b1f6f2e-2f0c-4d0f-9d55-{task:012d}", 1, "shop.charge", "mail", "celery@host",
        args=(911, "order-1", {"amount": 30}), kwargs={"currency": "EUR", "retry": True},
        result={"ok": task} if step == 2 else None,
    )  # fmt: skip
    start = time.perf_counter_ns()
    emit(event)
    return (time.perf_counter_ns() - start) / 1000


def _floor(events: int) -> float:
    item = ["shop.charge", "4b1f6f2e-2f0c-4d0f-9d55-000000000000", 911, "order-1", *range(24)]
    pack = Packer().pack
    with tempfile.TemporaryFile() as file:
        write, fd = os.write, file.fileno()
        begun = time.perf_counter_ns()
        for _ in range(events):
            body = pack(item)
            write(fd, crc32(body).to_bytes(4, "big") + body)
        return (time.perf_counter_ns() - begun) / events / 1000


def _import_ms() -> float:
    code = "import time;t=time.perf_counter();import z4j;print((time.perf_counter()-t)*1e3)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    print(json.dumps(measure(quick="--quick" in sys.argv), indent=1))
