"""Reading one segment while others append to it.

The rule: the index of an item frame in its file is its offset, for every reader and after any
crash; no cursor is kept on disk and no descriptor between calls, so forked children inherit none.
"""

from __future__ import annotations

import bisect
import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .segment import (
    CORRUPT_BODY,
    LOST_ARRAYS,
    LOST_EVICTED,
    Header,
    frame,
    header_frame,
    lost_body,
    lost_counts,
    parse,
)

_BLOCK_BYTES = 256 * 1024
_MARK_ITEMS = 256
_HEADER_BYTES = 131_072
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


def _bytes(bodies: list[bytes]) -> int:
    return sum(map(len, bodies))


class DiskSegment:
    """A segment of a stream we own. Not thread-safe: the sender's thread alone uses it."""

    def __init__(self, path: str, header: Header, start: int, epoch: Callable[[], int]) -> None:
        self.path = path
        self.header = header
        self.acked = 0
        self.is_evicted = False
        self.lost = 0
        self.size = 0
        self.is_sealed = path.endswith(".done")
        self.finished = False
        self.last = 0
        self._epoch = epoch
        self._end: int | None = None
        self._seen = 0
        self._counted = 0
        self._at = (0, start)
        self._marks: list[tuple[int, int]] = [(0, start)]

    @property
    def stream(self) -> bytes:
        """Id of the stream."""
        return self.header.stream

    @property
    def epoch(self) -> int:
        """Epoch of the stream's present owner."""
        return self._epoch()

    @property
    def cls(self) -> int:
        """0 facts, 1 control."""
        return self.header.cls

    @property
    def segment_id(self) -> bytes:
        """Random id of the segment."""
        return self.header.segment

    @property
    def meta(self) -> Mapping[str, Any]:
        """What the header says about the process, with `t`."""
        return {**self.header.meta, "t": self.header.t}

    @property
    def first(self) -> int:
        """Lowest offset still held; segments keep all they have until they go."""
        return 1

    @property
    def has_unacked(self) -> bool:
        """Whether there are items that were never acknowledged."""
        return not self.finished and (self._at[0] > self.acked or self.grew())

    def read(self, after: int, max_items: int, max_bytes: int) -> list[bytes]:
        """Bodies of the items after offset `after`, at least one if there is any."""
        self.last, room = after, max_bytes
        try:
            usual = self._read_on(after, max_items, max_bytes)
            if usual is not None:
                return usual
            bodies: list[bytes] = []
            for offset, body in self._items(after, max_items + 1):
                if len(bodies) >= max_items or (bodies and len(body) > room):
                    break
                bodies.append(body)
                self.last = offset
                room -= len(body)
        except FileNotFoundError:
            self.finished = True
            return []
        return bodies

    def _read_on(self, after: int, max_items: int, max_bytes: int) -> list[bytes] | None:
        """What came behind the last item read, where nothing about it is unusual; else None."""
        offset, byte = self._at
        if after != offset or self.is_sealed:
            return None
        data, is_whole = self._block(byte, _BLOCK_BYTES)
        found = parse(data, self.header.seed, is_whole=is_whole, is_sealed=False, room=max_items)
        bodies = [body for body in found.bodies if body and body[:1] not in LOST_ARRAYS]
        if found.is_starved or len(bodies) < len(found.bodies) or _bytes(bodies) > max_bytes:
            return None
        if bodies:
            self.last = offset + len(bodies)
            self._at = at = (self.last, byte + found.ends[-1])
            if self.last >= self._marks[-1][0] + _MARK_ITEMS:
                self._marks.append(at)
        return bodies

    def _items(self, after: int, room: int = 1 << 30) -> Iterator[tuple[int, bytes]]:
        """(offset, body) of the items after `after`; `room` is how many at a time to parse."""
        offset, byte = self._nearest(after)
        length, is_over = _BLOCK_BYTES, False
        while not is_over:
            data, is_whole = self._block(byte, length)
            found = parse(
                data, self.header.seed, is_whole=is_whole, is_sealed=self.is_sealed, room=room
            )
            mark = self._marks[-1][0] + _MARK_ITEMS
            for body, end in zip(found.bodies, found.ends, strict=True):
                if body is None or body[:1] in LOST_ARRAYS:
                    offset = self._offset_of(body, offset)
                else:
                    offset += 1
                if offset > after:
                    yield offset, CORRUPT_BODY if body is None else body
                self._at = at = (offset, byte + end)
                if offset >= mark:
                    self._marks.append(at)
                    mark = offset + _MARK_ITEMS
            byte += found.ends[-1] if found.ends else 0
            length = length * 2 if found.is_starved else _BLOCK_BYTES
            is_over = is_whole and len(found.bodies) < room
        if self.is_sealed:
            self._end = offset

    def _offset_of(self, body: bytes | None, before: int) -> int:
        """Offset of the item behind offset `before`; a LOST span reaches to its own end."""
        lost, to = (1, 0) if body is None else lost_counts(body)
        offset = max(before + 1, to)
        if lost and offset > self._counted:
            self._counted = offset
            self.lost += lost
        return offset

    def _nearest(self, after: int) -> tuple[int, int]:
        """The known (offset, byte behind it) nearest to `after` from below."""
        if self._marks[-1][0] <= self._at[0] <= after:
            return self._at
        return self._marks[bisect.bisect_right(self._marks, (after, 1 << 62)) - 1]

    def _block(self, byte: int, length: int) -> tuple[bytes, bool]:
        """Bytes from `byte` on, and whether they reach the present end of the file."""
        fd = os.open(self.path, _READ)
        try:
            data = os.pread(fd, length, byte)
            is_whole = byte + len(data) >= os.fstat(fd).st_size
        finally:
            os.close(fd)
        self._seen = max(self._seen, byte + len(data))
        return data, is_whole

    def grew(self) -> bool:
        """Whether bytes were added that no `read` has looked at."""
        if self.is_sealed:
            return False
        try:
            return os.stat(self.path).st_size > self._seen
        except OSError:
            return True

    def measure(self) -> int:
        """Bytes on disk now."""
        with contextlib.suppress(OSError):
            self.size = os.stat(self.path).st_size
        return self.size

    def sync(self) -> None:
        """Force what was appended to the disk.

        Raises:
            OSError: a power cut may lose it.
        """
        fd = os.open(self.path, _READ)
        try:
            os.fdatasync(fd)
        finally:
            os.close(fd)

    def seal(self) -> bool:
        """Make it final if no writer is left; True once it is."""
        if self.is_sealed:
            return True
        fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            directory, name = os.path.split(self.path)
            done = os.path.join(directory, f"{name[0]}-{self.segment_id.hex()}.done")
            os.rename(self.path, done)
        except BlockingIOError:
            return False
        finally:
            os.close(fd)
        self.path, self.is_sealed = done, True
        return True

    def ack(self, upto: int) -> None:
        """Everything up to `upto` is stored; unlinks a sealed file that is stored whole."""
        self.acked = max(self.acked, upto)
        self.settle()

    def settle(self) -> None:
        """Unlink the file if it is sealed and acknowledged to its end."""
        if not self.is_sealed or self.finished:
            return
        if self._end is None and next(self._items(self.acked), None) is not None:
            return
        if self._end is not None and self.acked >= self._end:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self.finished = True

    def evict(self) -> int:
        """Replace a sealed file by LOST items over all its offsets; how many events went.

        A LOST that stood in it stays as it is: whatever part of the offsets the brain has stored,
        what is missing of the rest can be told from these items.
        """
        bodies: list[bytes] = []
        gone = run = end = 0
        for offset, body in self._items(0):
            n = lost_counts(body)[0] or 1
            gone += n if offset > self.acked else 0
            if n == offset - end:
                run += n
            else:
                bodies += [lost_body(LOST_EVICTED, run, end)] if run else []
                bodies.append(body)
                run = 0
            end = offset
        bodies += [lost_body(LOST_EVICTED, run, end)] if run else []
        data = header_frame(self.header)
        start = len(data)
        data += b"".join(frame(body, self.header.seed) for body in bodies)
        if not bodies or not self._replace(data):
            return 0
        self._marks, self._at, self._end = [(0, start)], (0, start), end
        self._counted = end
        self.is_evicted = True
        return gone

    def _replace(self, data: bytes) -> bool:
        """Put `data` in the place of the file; False when there is no room for it."""
        directory, name = os.path.split(self.path)
        temp = os.path.join(directory, f".evict-{name}")
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            is_whole = os.write(fd, data) == len(data)
        finally:
            os.close(fd)
        if is_whole:
            os.rename(temp, self.path)
        else:
            os.unlink(temp)
        return is_whole
