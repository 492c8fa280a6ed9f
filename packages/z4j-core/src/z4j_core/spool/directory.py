"""The segments in the stream directories this process owns.

The rule: a file is named by the id in its header; what cannot be identified is set aside and its
loss is counted, never skipped in silence.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator

from ..clock import stamp_ns
from . import hand
from .files import LETTERS
from .reader import DiskSegment
from .segment import Corrupt, Header, frames_by_length, parse_header
from .stream import Stream

_HEADER_BYTES = 131_072
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_SECOND_NS = 1_000_000_000
_Inode = tuple[int, int]


class StreamFiles:
    """Handles of the segments of one owned stream, the same objects from scan to scan."""

    def __init__(self, owned: Stream, *, is_own: bool) -> None:
        self.owned = owned
        self.is_own = is_own
        self.scanned = False
        self._by_id: dict[bytes, DiskSegment] = {}
        self._by_file: dict[_Inode, bytes] = {}
        self._changed_ns = 0
        self._is_settled = False

    def changed(self) -> bool:
        """Whether files came or went since the last scan.

        A change within the tick of the last one leaves the same time stamp behind, so a listing
        counts only if it began in a later tick.
        """
        try:
            return self._modified_ns() != self._changed_ns or not self._is_settled
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
            self._look(lost)
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

    def _look(self, lost: Callable[[int], None]) -> None:
        """Meet the files that are new; a look that fails on the way does not count.

        Raises:
            OSError: not all files are known.
        """
        self._is_settled = False
        self._changed_ns = self._modified_ns()
        is_past = _is_past(self._changed_ns, stamp_ns())
        for name, ino in sorted(self._entries()):
            if not self._is_met(name, ino):
                self._meet(name, ino, lost)
        self._is_settled = is_past

    def _is_met(self, name: str, ino: _Inode) -> bool:
        """Whether this is a file we know, and not a new one with the number of one that is gone."""
        segment = self._by_id.get(self._by_file.get(ino, b""))
        return segment is not None and not segment.finished and segment.path.endswith("/" + name)

    def is_drained(self) -> bool:
        """Whether no segment is left, not even one being made, nor a page nobody took in."""
        if not self.is_own and os.path.lexists(self.owned.file(hand.NAME)):
            return False
        try:
            return not any(True for _ in self._entries(hidden=True))
        except OSError as error:
            return isinstance(error, FileNotFoundError)

    def _entries(self, *, hidden: bool = False) -> Iterator[tuple[str, _Inode]]:
        with os.scandir(self.owned.path) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            is_segment = name[:1] in LETTERS and name[1:2] == "-"
            if (is_segment and name.endswith((".seg", ".done"))) or (
                name[:3] in (".e-", ".c-", ".ev") and not self._swept(name) and hidden
            ):
                with contextlib.suppress(FileNotFoundError):
                    stat = os.stat(self.owned.file(name), follow_symlinks=False)
                    yield name, (stat.st_dev, stat.st_ino)

    def _swept(self, name: str) -> bool:
        """Remove what a writer that died left half-made; False when it lives."""
        path = self.owned.file(name)
        try:
            fd = os.open(path, _READ)
        except OSError as error:
            return isinstance(error, FileNotFoundError)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)
        except OSError as error:
            return isinstance(error, FileNotFoundError)
        finally:
            os.close(fd)
        return True

    def _meet(self, name: str, ino: _Inode, lost: Callable[[int], None]) -> None:
        path = self.owned.file(name)
        try:
            fd = os.open(path, _READ)
        except OSError as error:
            if error.errno in _SHORTAGES:
                raise
            return
        try:
            found = self._identify(fd)
            if found is None:
                self._set_aside(path, fd, lost)
                return
        finally:
            os.close(fd)
        header, start = found
        segment = self._by_id.get(header.segment)
        if segment is None:
            segment = DiskSegment(path, header, start, lambda: self.owned.epoch)
            self._by_id[header.segment] = segment
        self._by_file[ino] = header.segment

    def _identify(self, fd: int) -> tuple[Header, int] | None:
        """The header of a segment of this stream and where it ends; None for any other file."""
        try:
            header, start = parse_header(os.pread(fd, _HEADER_BYTES, 0))
        except Corrupt:
            return None
        return (header, start) if header.stream == self.owned.id else None

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


def _is_past(modified_ns: int, now_ns: int) -> bool:
    """Whether a change from `now_ns` on gets another time stamp than `modified_ns`.

    Some file systems stamp whole seconds. A stamp far ahead is of a clock that was set back since.
    """
    tick_ns = 1 if modified_ns % _SECOND_NS else _SECOND_NS
    return now_ns - modified_ns >= tick_ns or modified_ns - now_ns > _SECOND_NS
