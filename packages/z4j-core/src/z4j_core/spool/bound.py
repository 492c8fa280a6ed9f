"""How much a spool may hold.

The rule: owners give up the oldest; writers drop the newest only at 1.25 times the bound or when
the disk is nearly full.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass

from .files import LETTERS

_DROP_AT = 1.25
_MIN_FREE = 0.05
_FULL = 1


@dataclass(frozen=True, slots=True)
class Bound:
    """Limits in bytes per class for all streams under `streams`."""

    streams: str
    max_bytes: tuple[int, int]

    def held(self) -> tuple[int, int]:
        """Bytes of segments per class, of all streams."""
        held = [0, 0]
        for letter, size in _segments(self.streams):
            held[LETTERS.index(letter)] += size
        return held[0], held[1]

    def excess(self, cls: int) -> int:
        """Bytes above the bound of this class, 0 or less when it is kept."""
        return self.held()[cls] - self.max_bytes[cls]

    def publish(self, flags: mmap.mmap) -> tuple[bool, bool]:
        """Tell all writers whether to drop, per class; True = full."""
        is_disk_full = self._free_fraction() < _MIN_FREE
        held = self.held()
        full = [is_disk_full or held[cls] >= _DROP_AT * self.max_bytes[cls] for cls in (0, 1)]
        for cls in (0, 1):
            if bool(flags[_FULL + cls]) != full[cls]:
                flags[_FULL + cls] = int(full[cls])
        return full[0], full[1]

    def _free_fraction(self) -> float:
        try:
            disk = os.statvfs(self.streams)
        except OSError:
            return 1.0
        return disk.f_bavail / disk.f_blocks if disk.f_blocks else 1.0


def _segments(streams: str) -> Iterator[tuple[str, int]]:
    """(letter, bytes) of every segment of every stream; what vanishes meanwhile is left out."""
    try:
        names = os.listdir(streams)
    except OSError:
        return
    for stream in names:
        try:
            with os.scandir(os.path.join(streams, stream)) as entries:
                for entry in entries:
                    if entry.name.endswith((".seg", ".done")) and entry.name[0] in LETTERS:
                        yield entry.name[0], entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
