"""Opening and creating the numbered segment files of one class of a stream.

The rule: whoever holds a descriptor from here holds LOCK_SH on it, so that the owner's LOCK_EX
means nobody will ever append again. Numbers only let siblings meet; identity is in the header.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from ..clock import Clock
from .segment import (
    MAX_BODY_BYTES,
    Corrupt,
    Header,
    ends_whole,
    frame_head,
    header_frame,
    parse_header,
)

LETTERS = ("e", "c")
_MODE = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_TRIES = 64
_HEADS = 1_024
_GONE = 1 << 62
F_SETSIG: int = getattr(fcntl, "F_SETSIG", -1)
F_GETSIG: int = getattr(fcntl, "F_GETSIG", -1)
_FIRST_TAG, _TAGS = 34, 30
_HEADER_BYTES = 16_384
# A whole frame, a torn one behind it, and what others appended meanwhile.
_LOOK_BACK_BYTES = 3 * MAX_BODY_BYTES


class Opened:
    """A descriptor on a segment that was proven to be a certain file.

    `tag` is a mark on the open file description that a reused number does not have: its signal
    for asynchronous I/O, which no file of ours ever sends. 0 where the platform has none.
    """

    __slots__ = ("_box", "dev", "fd", "heads", "ino", "is_retired", "number", "pins", "seed",
                 "tag")  # fmt: skip

    def __init__(self, fd: int, number: int, seed: int) -> None:
        stat = os.fstat(fd)
        self.fd = fd
        self.dev = stat.st_dev
        self.ino = stat.st_ino
        self.number = number
        self.seed = seed
        self.pins: list[None] = []
        self.is_retired = False
        self.heads: dict[int, tuple[bytes, int]] = {}
        self._box = [fd]
        self.tag = _tagged(fd, seed)

    def head(self, length: int) -> tuple[bytes, int]:
        """Start of a frame for a body of this length, and the CRC to go on from; kept.

        Raises:
            ValueError: no frame is that long.
        """
        if length > MAX_BODY_BYTES:
            raise ValueError("body too long for a frame")
        if len(self.heads) >= _HEADS:
            self.heads.clear()
        head = frame_head(length)
        self.heads[length] = made = head, crc32(head, self.seed)
        return made

    def size(self) -> int:
        """Bytes in the file; -1 when the number is closed or somebody else's.

        A file without a name is as good as full: nobody will ever read it.
        """
        try:
            stat = os.fstat(self.fd)
        except OSError:
            return -1
        if stat.st_ino != self.ino or stat.st_dev != self.dev:
            return -1
        return stat.st_size if stat.st_nlink else _GONE

    def stands_alone(self, part: bytes) -> bool:
        """Whether what was just written of a frame is a torn region of its own to a reader.

        Behind torn bytes, of whatever process, it is one region with them.
        """
        try:
            size = os.fstat(self.fd).st_size
            block = os.pread(self.fd, _LOOK_BACK_BYTES, max(0, size - _LOOK_BACK_BYTES))
        except OSError:
            return True
        at = block.rfind(part)
        return at < 0 or ends_whole(block[:at], self.seed)

    def close(self) -> None:
        """Close once, and only if the number is still ours."""
        try:
            fd = self._box.pop()
        except IndexError:
            return
        if self.size() >= 0:
            with contextlib.suppress(OSError):
                os.close(fd)


def _tagged(fd: int, seed: int) -> int:
    tag = _FIRST_TAG + seed % _TAGS
    try:
        fcntl.fcntl(fd, F_SETSIG, tag)
        return tag if fcntl.fcntl(fd, F_GETSIG) == tag else 0
    except (OSError, ValueError):
        return 0


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """Where the segments of one class of a stream are, and what new headers say."""

    directory: str
    stream: bytes
    cls: int
    meta: Mapping[str, Any]
    clock: Clock
    entropy: Callable[[int], bytes]
    rotate_bytes: int

    def next(self, full: Opened | None) -> Opened:
        """The segment after `full`, or the newest.

        Raises:
            OSError: there is no way to write, and why.
        """
        number = self._newest() if full is None else full.number + 1
        for candidate in range(number, number + _TRIES):
            opened = None
            if not os.path.lexists(self.path(candidate)):
                opened = self._create(candidate)
            opened = opened or self._join(candidate)
            if opened is not None:
                return opened
        raise OSError(errno.EEXIST, f"{_TRIES} segments that nobody may append to")

    def _newest(self) -> int:
        numbers = [number_of(name, self.cls) for name in os.listdir(self.directory)]
        return max([1, *numbers])

    def path(self, number: int) -> str:
        """Path of the open segment with this number."""
        return os.path.join(self.directory, f"{LETTERS[self.cls]}-{number:08x}.seg")

    def _join(self, number: int) -> Opened | None:
        path = self.path(number)
        try:
            fd = os.open(path, _MODE)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            seen, held = os.stat(path, follow_symlinks=False), os.fstat(fd)
            is_same = (seen.st_dev, seen.st_ino) == (held.st_dev, held.st_ino)
            if is_same and held.st_size < self.rotate_bytes:
                header, _ = parse_header(os.pread(fd, _HEADER_BYTES, 0))
                if header.stream == self.stream and header.cls == self.cls:
                    return Opened(fd, number, header.seed)
        except (OSError, Corrupt):
            os.close(fd)
            return None
        os.close(fd)
        return None

    def _create(self, number: int) -> Opened | None:
        """A new file under this number; None when a sibling was faster.

        Or when the owner's thread looked for what the dead left half-made just before the lock:
        the file has no name then to be linked by, and the next number is as good.
        """
        segment = self.entropy(8)
        temp = os.path.join(self.directory, f".{LETTERS[self.cls]}-{segment.hex()}")
        header = Header(
            stream=self.stream,
            cls=self.cls,
            segment=segment,
            seed=int.from_bytes(self.entropy(4), "big"),
            t=self.clock.wall_us(),
            meta=self.meta,
        )
        fd = os.open(temp, _MODE | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH)
            data = header_frame(header)
            _write_whole(fd, data)
            os.link(temp, self.path(number))
        except (FileExistsError, FileNotFoundError):
            os.close(fd)
            return None
        except OSError:
            os.close(fd)
            raise
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temp)
        return Opened(fd, number, header.seed)


def _write_whole(fd: int, data: bytes) -> None:
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, "no room for a segment header")


def number_of(name: str, cls: int) -> int:
    """Number in the name of an open segment of this class, 0 for any other name."""
    if not name.endswith(".seg") or not name.startswith(LETTERS[cls] + "-"):
        return 0
    try:
        return int(name[2:-4], 16)
    except ValueError:
        return 0
