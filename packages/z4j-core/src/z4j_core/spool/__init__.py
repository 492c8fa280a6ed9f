"""Facts on disk from the hook to the brain's acknowledgement.

    spool = open_spool(settings, meta, clock=clock, entropy=os.urandom)
    spool.writer.append(body)                      # any thread, any forked child
    for segment in spool.scan():                   # the sender's thread
        bodies = segment.read(after, 500, 192_000)
        segment.ack(segment.last)

The rule: stored plus reported lost is produced, whatever dies in between.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping

from ..clock import Clock
from .contract import AdoptedStream, Appender, SegmentHandle, Spool, SpoolSettings, Usage
from .counts import Counters
from .disk import attach_child, open_disk
from .ring import RingSpool
from .roots import Storage, choose, private_directory
from .segment import lost_body

__all__ = [
    "AdoptedStream",
    "Appender",
    "Counters",
    "SegmentHandle",
    "Spool",
    "SpoolSettings",
    "Storage",
    "Usage",
    "attach_child",
    "hash8",
    "lost_body",
    "open_spool",
]


def hash8(*parts: str) -> str:
    """First 16 hex digits of the SHA-256 of the parts joined by `|`."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def open_spool(
    settings: SpoolSettings,
    meta: Mapping[str, object],
    *,
    clock: Clock,
    entropy: Callable[[int], bytes],
) -> Spool:
    """A new stream of this process in the first place that will do, in memory at worst.

    It never raises for the state of a disk; `Spool.note` says what was chosen and why.
    """
    name = hash8(settings.origin, settings.project, settings.cred_id.hex())
    passed: list[str] = []
    for root in choose(settings.root, passed):
        home = os.path.join(root.path, name)
        objection = private_directory(home) or private_directory(os.path.join(home, "s"))
        if objection is None:
            try:
                return open_disk(root, home, settings, meta, clock, entropy)
            except OSError as error:
                objection = error.strerror or "not usable"
        passed.append(f"{home}: {objection}")
    note = "memory only; not used: " + "; ".join(passed)
    return RingSpool(note, meta, clock, entropy)
