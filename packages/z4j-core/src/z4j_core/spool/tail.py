"""Reading along what a stream gets, beside its reader. The rule: it changes nothing and keeps none.

The sender's handles know what was sent; who follows facts for another purpose needs a place of his
own, or the sender would take as read what only he has seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .segment import Corrupt, Header, parse, parse_header

_HEADER_BYTES = 131_072
_BLOCK_BYTES = 1 << 20


@dataclass(slots=True)
class _Place:
    header: Header
    byte: int


class Tail:
    """New facts of one stream, from the moment it is first asked; used by one thread."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._places: dict[bytes, _Place] = {}
        self._is_first = True

    def read(self) -> Iterator[bytes]:
        """Bodies that were appended since the last call; of the first call none."""
        is_first, self._is_first = self._is_first, False
        met: set[bytes] = set()
        for path in self._files():
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except OSError:
                continue
            try:
                place = self._place(fd)
                if place is None:
                    continue
                met.add(place.header.segment)
                if is_first:
                    place.byte = os.fstat(fd).st_size
                else:
                    yield from _bodies(fd, place)
            finally:
                os.close(fd)
        self._places = {key: place for key, place in self._places.items() if key in met}

    def _files(self) -> list[Path]:
        try:
            return sorted(p for p in Path(self.path).iterdir() if p.name.startswith("e-"))
        except OSError:
            return []

    def _place(self, fd: int) -> _Place | None:
        """Where to go on in a segment: it is known by the id in its header, never by its name."""
        try:
            header, start = parse_header(os.pread(fd, _HEADER_BYTES, 0))
        except Corrupt:
            return None
        return self._places.setdefault(header.segment, _Place(header, start))


def _bodies(fd: int, place: _Place) -> Iterator[bytes]:
    """Whole frames from a place on; it moves behind them."""
    while data := os.pread(fd, _BLOCK_BYTES, place.byte):
        found = parse(data, place.header.seed, is_whole=True, is_sealed=False)
        yield from (body for body in found.bodies if body is not None)
        if not found.ends:
            return
        place.byte += found.ends[-1]
