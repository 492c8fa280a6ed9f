from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from z4j_core.clock import SystemClock
from z4j_core.spool import Spool, SpoolSettings, open_spool
from z4j_core.spool.reader import DiskSegment

CRED = bytes(range(16))


class Rig:
    """Spools under one root, closed at the end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: list[Spool] = []

    def open(self, **limits: int) -> Spool:
        settings = SpoolSettings(str(self.root), "wss://brain:443", "shop", CRED, **limits)
        meta = {"host": "h", "pid": os.getpid(), "role": "worker"}
        spool = open_spool(settings, meta, clock=SystemClock(), entropy=os.urandom)
        self._open.append(spool)
        return spool

    def close(self) -> None:
        for spool in self._open:
            spool.close(offline=True)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "root")
    yield rig
    rig.close()


@pytest.fixture
def in_child() -> Iterator[Callable[[Callable[[], None]], int]]:
    """Fork, run, exit; the pid is given back at once and reaped at the end at the latest."""
    pids: list[int] = []

    def fork(run: Callable[[], None]) -> int:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                run()
                code = 0
            finally:
                os._exit(code)
        pids.append(pid)
        return pid

    yield fork
    for pid in pids:
        try:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            continue


def drain(spool: Spool, *, ack: bool = True) -> list[bytes]:
    """Everything that can be read now, in the order it would be sent."""
    found: list[bytes] = []
    for segment in spool.scan():
        found += drain_segment(segment, ack=ack)
    return found


def drain_segment(segment: DiskSegment, *, ack: bool = True) -> list[bytes]:
    found: list[bytes] = []
    after = segment.acked
    while bodies := segment.read(after, 500, 192_000):
        found += bodies
        after = segment.last
    if ack:
        segment.ack(segment.last)
    return found


@pytest.fixture
def mounted() -> Iterator[Callable[[Path, int], Path]]:
    """A small disk of its own, with a file `ballast` that can be removed to make room."""
    points: list[Path] = []

    def mount(point: Path, size: int) -> Path:
        point.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(point)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("this machine does not let us mount a small disk")
        points.append(point)
        (point / "ballast").write_bytes(bytes(size // 2))
        return point

    yield mount
    for point in points:
        subprocess.run(["umount", "-l", str(point)], check=False)
