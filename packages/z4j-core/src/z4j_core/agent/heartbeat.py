"""BEAT and what it tells. The rule: a figure that cannot be had is nil."""

from __future__ import annotations

import os
from pathlib import Path

from ..clock import Clock
from ..spool import Usage
from ..wire.bodies import Beat, Inventory, SpoolState
from .boundary import Emitter

_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024 if hasattr(os, "sysconf") else 4
_NO_HASH = bytes(8)


def beat(
    number: int, clock: Clock, usage: Usage, emitters: list[Emitter], inventory: list[Inventory]
) -> Beat:
    """The BEAT of now."""
    spent = os.times()
    busy = sum(len(emitter.runs) for emitter in emitters)
    slots = [worker.slots for emitter in emitters for worker in emitter.workers.values()]
    return Beat(
        n=number,
        mono=int(clock.monotonic() * 1000),
        age_ms=int(usage.oldest_age_s * 1000),
        spool=SpoolState(usage.bytes, usage.segments, usage.lost, usage.evicted),
        lag_ms=None,
        lag_max_ms=None,
        busy=min(busy, 0xFFFF) if slots else None,
        slots=sum(slot or 0 for slot in slots) if slots else None,
        done=None,
        cpu_ms=int((spent.user + spent.system) * 1000),
        rss_kb=rss_kb(),
        inventory=tuple(inventory),
    )


def unknown(kind: int, emitter: Emitter) -> Inventory:
    """An entry that says "ask me": its hash is never that of real rows."""
    return Inventory(kind, emitter.source.engine, emitter.source.app, _NO_HASH)


def rss_kb() -> int:
    """Resident memory of this process in KiB; 0 where the platform does not tell cheaply."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_KB
    except (OSError, ValueError, IndexError):
        return 0
