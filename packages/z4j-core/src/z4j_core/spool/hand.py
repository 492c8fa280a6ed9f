"""Facts in hand: in a page that outlives the process, not yet in a segment.

The rule: a slot is whole or empty, and whoever adopts a stream appends what its slots hold.

A store into a mapped page costs a hook a tenth of a write. The agent's thread moves facts from
here into a segment, many at a time; a start whose end comes first never gets that far.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
from zlib import crc32

from .roots import filesystem_of

SLOTS = 256
SLOT_BYTES = 1024
NAME = "hand"
_SIZE = SLOTS * SLOT_BYTES
_HEAD = struct.Struct("<II")
_head = _HEAD.pack
_ROOM = SLOT_BYTES - _HEAD.size
_EMPTY = bytes(4)
_IN_PLACE = frozenset({"ext2", "ext3", "ext4", "xfs", "tmpfs"})
"""Where a block once written is written again in place: elsewhere a store may need room, and a
store that finds none kills the process."""


class Hand:
    """The slots of one process; used by all its threads, by none of its children."""

    def __init__(self, page: mmap.mmap) -> None:
        self._page = page
        self._free = list(range(SLOTS))

    def hold(self, body: bytes) -> int | None:
        """The slot that keeps a fact; None when there is none for it."""
        size = len(body)
        if size > _ROOM:
            return None
        try:
            slot = self._free.pop()
        except IndexError:
            return None
        at = slot * SLOT_BYTES
        self._page[at : at + _HEAD.size + size] = _head(size, crc32(body)) + body
        return slot

    def drop(self, slot: int) -> None:
        """Empty a slot: its fact is in a segment, or another one tells it."""
        at = slot * SLOT_BYTES
        self._page[at : at + 4] = _EMPTY
        self._free.append(slot)


def open_hand(directory: str) -> Hand | None:
    """Make the page of a stream; None where it could not be written to without fail."""
    if filesystem_of(directory) not in _IN_PLACE:
        return None
    path = os.path.join(directory, NAME)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        fd = os.open(path, flags, 0o600)
        try:
            if os.write(fd, bytes(_SIZE)) == _SIZE:
                return Hand(mmap.mmap(fd, _SIZE))
        finally:
            os.close(fd)
    except OSError:
        pass
    forget(directory)
    return None


def facts_of(directory: str) -> list[bytes]:
    """What the dead owner of a stream had in hand."""
    path = os.path.join(directory, NAME)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return []
    try:
        data = os.read(fd, _SIZE)
    except OSError:
        return []
    finally:
        os.close(fd)
    found = [_fact(data, at) for at in range(0, len(data), SLOT_BYTES)]
    return [body for body in found if body is not None]


def forget(directory: str) -> None:
    """Take the page of a dead owner away."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(directory, NAME))


def _fact(data: bytes, at: int) -> bytes | None:
    if len(data) < at + _HEAD.size:
        return None
    size, checksum = _HEAD.unpack_from(data, at)
    text = at + _HEAD.size
    body = data[text : text + size]
    is_whole = 0 < size <= _ROOM and len(body) == size and crc32(body) == checksum
    return body if is_whole else None
