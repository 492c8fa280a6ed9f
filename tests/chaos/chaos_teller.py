"""A host of the agent that tells facts and does nothing else, as fast as it is told to.

    python chaos_teller.py <progress file> <prefix of task ids>

It reads wishes from standard input, one JSON object a line, and answers each with its books:
{"n": 2000, "rate": 2000} tells so many facts, {"rate": 50} goes on until the next wish, {} asks,
{"flush": 20} waits until all is stored.
How far it is lies in a mapped file that a kill leaves behind: facts begun, facts told.
"""

from __future__ import annotations

import json
import logging
import mmap
import struct
import sys
import threading
import time
from pathlib import Path

from z4j_core import Delivery, EventKind, TaskEvent, Worker
from z4j_core.agent import start

STEP_S, LOOKS = 0.005, 4_000
PROGRESS = struct.Struct("<QQ")
never = threading.Event()


class Telling:
    """An engine without a broker: only its facts are real."""

    name, app = "telling", "chaos"
    delivery, unavailable = Delivery(), {}
    emit = None

    def attach(self, emit):
        self.emit = emit

    def detach(self):
        self.emit = None

    def discover(self):
        return []

    def enqueue(self, job):
        raise NotImplementedError


class Teller:
    """Numbers facts from 1 and tells them, at a rate, in a thread like that of a host."""

    def __init__(self, engine, progress, prefix):
        self.engine, self.progress, self.prefix = engine, progress, prefix
        self.told, self.slowest_s = 0, 0.0
        self.enough = threading.Event()
        self.thread = None

    def begin(self, n, rate):
        self.enough.clear()
        self.thread = threading.Thread(target=self._run, args=(n, rate), daemon=True)
        self.thread.start()

    def end(self, *, at_once):
        if at_once:
            self.enough.set()
        if self.thread is not None:
            self.thread.join()
            self.thread = None

    def _run(self, n, rate):
        first, began = self.told, time.monotonic()
        while not self.enough.is_set():
            due = int((time.monotonic() - began) * rate)
            due = due if n is None else min(n, due)
            while self.told - first < due:
                self._tell()
            if n is not None and due >= n:
                return
            never.wait(STEP_S)

    def _tell(self):
        number = self.told + 1
        PROGRESS.pack_into(self.progress, 0, number, self.told)
        at = time.perf_counter()
        self.engine.emit(
            TaskEvent(EventKind.SUCCEEDED, f"{self.prefix}-{number}", 1, "chaos.told", "q", "w")
        )
        self.slowest_s = max(self.slowest_s, time.perf_counter() - at)
        self.told = number
        PROGRESS.pack_into(self.progress, 0, number, number)


def writes(process):
    """Facts written or dropped; each one told is one of them."""
    counters = process.spool.writer.counters
    return counters.written + counters.dropped


def books(process, teller, took_s):
    """What the agent says it wrote, once its own thread has put down what it took in hand."""
    process.settle()
    for _ in range(LOOKS):
        if writes(process) >= teller.told or never.wait(STEP_S):
            break
    counters, usage = process.spool.writer.counters, process.spool.usage()
    return {
        "stream": process.spool.stream.hex(), "written": counters.written,
        "dropped": counters.dropped, "told": teller.told, "lost": process.lost,
        "spool_bytes": usage.bytes, "evicted": usage.evicted,
        "hook_errors": process.counters.hook_errors, "connected": process.is_connected,
        "slowest_ms": teller.slowest_s * 1000, "took_s": took_s,
    }  # fmt: skip


def mapped(path):
    """The progress, for us to write and for others to read."""
    with Path(path).open("w+b") as file:
        file.write(bytes(PROGRESS.size))
        file.flush()
        return mmap.mmap(file.fileno(), PROGRESS.size)


def main(path, prefix):
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    engine = Telling()
    handle = start()
    handle.attach(engine)
    handle.become("worker")
    handle.process.emitters[0].worker_up(Worker(f"teller-{prefix}"))
    teller = Teller(engine, mapped(path), prefix)
    for line in sys.stdin:
        wish, began = json.loads(line), time.monotonic()
        teller.end(at_once=True)
        if "rate" in wish:
            teller.begin(wish.get("n"), wish["rate"])
        if "n" in wish:
            teller.end(at_once=False)
        told = books(handle.process, teller, time.monotonic() - began)
        if "flush" in wish:
            told["flushed"] = handle.flush(wish["flush"])
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
