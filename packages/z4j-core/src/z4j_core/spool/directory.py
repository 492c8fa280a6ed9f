"""The segments in the stream directories this process owns.

The rule: a file is named by the id in its header; what cannot be identified is set aside and its
loss is counted, never skipped in silence.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator

from .files import LETTERS
from .reader import DiskSegment
from .segment import Corrupt, frames_by_length, parse_header
from .stream import Stream

_HEADER_BYTES = 131_072
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


class StreamFiles:
    """Handles of the segments of one owned stream, the same objects from scan to scan."""

    def __init__(self, owned: Stream, *, is_own: bool) -> None:
        self.owned = owned
        self.is_own = is_own
        self.scanned = False
        self._by_id: dict[bytes, DiskSegment] = {}
        self._by_file: dict[tuple[int, int], bytes] = {}
        self._changed_ns = 0
        self._is_settled = False

    def changed(self) -> bool:
        """Whether files came or went since the last scan.

        A change within one tick of the kernel's clock leaves the same time stamp behind, so a scan
        that saw a new one is followed by another.
        """
        try:
            return not self._is_settled or self._modified_ns() != self._changed_ns
        except OSError:
            return False

    def _modified_ns(self) -> int:
        return os.stat(self.owned.path).st_mtime_ns

    def segments(self) -> list[DiskSegment]:
        """Handles that are not finished."""
        return [segment for segment in self._by_id.values() if not segment.finished]

    def scan(self, lost: Callable[[int], None]) -> list[DiskSegment]:
        """Find new files, seal what has no writer, unlink what is stored.

        Args:
            lost: called with the number of items of a file that cannot be read at all.
        """
        with contextlib.suppress(OSError):
            modified_ns = self._modified_ns()
            self._is_settled = modified_ns == self._changed_ns
            self._changed_ns = modified_ns
        for name, ino in self._entries():
            if ino not in self._by_file:
                self._meet(name, ino, lost)
        for segment in self.segments():
            try:
                if segment.seal():
                    segment.settle()
            except FileNotFoundError:
                segment.finished = True
        self._by_id = {key: seg for key, seg in self._by_id.items() if not seg.finished}
        known = set(self._by_id)
        self._by_file = {ino: key for ino, key in self._by_file.items() if key in known}
        self.scanned = True
        return list(self._by_id.values())

    def is_drained(self) -> bool:
        """Whether no segment is left, not even one being made."""
        return not any(True for _ in self._entries(hidden=True))

    def _entries(self, *, hidden: bool = False) -> Iterator[tuple[str, tuple[int, int]]]:
        try:
            with os.scandir(self.owned.path) as entries:
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:
            return
        for name, stat in found:
            is_segment = name[:1] in LETTERS and name[1:2] == "-"
            if (is_segment and name.endswith((".seg", ".done"))) or (
                name[:3] in (".e-", ".c-", ".ev") and not self._swept(name) and hidden
            ):
                yield name, (stat.st_dev, stat.st_ino)

    def _swept(self, name: str) -> bool:
        """Remove what a writer that died left half-made; False when it lives."""
        path = self.owned.file(name)
        try:
            fd = os.open(path, _READ)
        except OSError:
            return True
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        except OSError as error:
            return isinstance(error, FileNotFoundError)
        finally:
            os.close(fd)
        return True

    def _meet(self, name: str, ino: tuple[int, int], lost: Callable[[int], None]) -> None:
        path = self.owned.file(name)
        try:
            fd = os.open(path, _READ)
        except OSError:
            return
        try:
            header, start = parse_header(os.pread(fd, _HEADER_BYTES, 0))
        except Corrupt:
            header, start = None, 0
        is_ours = header is not None and header.stream == self.owned.id
        if not is_ours:
            self._set_aside(path, fd, lost)
        os.close(fd)
        if header is None or not is_ours:
            return
        segment = self._by_id.get(header.segment)
        if segment is None:
            segment = DiskSegment(path, header, start, lambda: self.owned.epoch)
            self._by_id[header.segment] = segment
        self._by_file[ino] = header.segment

    def _set_aside(self, path: str, fd: int, lost: Callable[[int], None]) -> None:
        """Count and rename a file without a readable header, once nobody writes to it."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = os.fstat(fd).st_size
            count = frames_by_length(os.pread(fd, size, 0))
            os.rename(path, path + ".bad")
        except OSError:
            return
        lost(max(1, count))
