"""Millions of guided inputs, a piece at a time. The rule: decoders get the same time each.

A piece is one process that gives one decoder `PIECE` inputs; the next piece goes to the decoder
that had the least CPU time. What was done is kept beside the corpus, so that a campaign that was
interrupted goes on where it was; inputs count for the code that read them and no other.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import z4j_brain.ingest.items
import z4j_core.spool
import z4j_core.wire
from decoders import DECODERS

PIECE = 250_000
GUIDED = Path(__file__).with_name("guided.py")
DONE = re.compile(r"stat::number_of_executed_units: (\d+)")


class Found(Exception):
    """A decoder let an error out that it does not declare."""


class Campaign:
    """Corpora and books in one directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._books = home / f"done-{_source()}.json"
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._size = PIECE
        kept = json.loads(self._books.read_text()) if self._books.exists() else {}
        self.done = {one.name: kept.get(one.name, [0, 0.0]) for one in DECODERS}
        """Decoder to (inputs, CPU seconds)."""

    @property
    def total(self) -> int:
        """Inputs so far, over all decoders."""
        return sum(runs for runs, _ in self.done.values())

    def run(self, wanted: int, workers: int) -> None:
        """Go on until there were `wanted` inputs.

        Raises:
            Found: and where the input lies.
        """
        self._size = min(PIECE, wanted // len(DECODERS))
        with ThreadPoolExecutor(workers) as pool:
            for each in [pool.submit(self._work, wanted) for _ in range(workers)]:
                each.result()

    def _work(self, wanted: int) -> None:
        while (taken := self._take(wanted)) is not None:
            number, runs = taken
            try:
                self._note(number, *self._piece(number, runs))
            except Found:
                self._busy.update(range(len(DECODERS)))  # nobody begins another piece
                raise
            self._busy.discard(number)

    def _take(self, wanted: int) -> tuple[int, int] | None:
        """The decoder whose turn it is, and how many inputs it gets."""
        with self._lock:
            left = wanted - self.total - self._size * len(self._busy)
            idle = [number for number in range(len(DECODERS)) if number not in self._busy]
            if left <= 0 or not idle:
                return None
            number = min(idle, key=lambda one: self.done[DECODERS[one].name][1])
            self._busy.add(number)
            return number, min(self._size, left)

    def _piece(self, number: int, runs: int) -> tuple[int, float]:
        """(inputs, CPU seconds) of one process."""
        name = DECODERS[number].name.replace(" ", "-")
        corpus, findings = self.home / name, self.home / "findings" / name
        for folder in (corpus, findings):
            folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(GUIDED), str(number), str(runs), str(corpus), str(findings)]
        with (self.home / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.home)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        said = (self.home / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        done = DONE.search(said)
        if process.returncode or done is None:
            raise Found(f"{name}, see {findings}:\n{said[-4_000:]}")
        return int(done[1]), used.ru_utime + used.ru_stime

    def _note(self, number: int, runs: int, spent_s: float) -> None:
        with self._lock:
            row = self.done[DECODERS[number].name]
            row[0], row[1] = row[0] + runs, row[1] + spent_s
            self._books.write_text(json.dumps(self.done))


def _source() -> str:
    """Names the code that reads."""
    found = [Path(z4j_brain.ingest.items.__file__), Path(__file__).with_name("decoders.py")]
    for package in (z4j_core.wire, z4j_core.spool):
        found += Path(package.__file__).parent.glob("*.py")
    told = hashlib.sha256()
    for path in sorted(found):
        told.update(path.name.encode() + path.read_bytes())
    return told.hexdigest()[:12]
