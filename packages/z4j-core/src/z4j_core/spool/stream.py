"""The directory of one stream: who owns it, at which epoch.

The rule: an owner holds a POSIX lock, which a forked child does not inherit and the kernel drops
with the process.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import shutil
import struct
from collections.abc import Callable, Mapping
from typing import Any

import msgpack

from .roots import private_directory
from .segment import MAX_BODY_BYTES
from .writer import FLAG_BYTES

MAX_BYTES = 64 * 1024 * 1024
MAX_CONTROL_BYTES = 8 * 1024 * 1024
_ID_BYTES = 16
_LIMITS = struct.Struct(">QQ")
LOCK, EPOCH, META, FLAGS, OFFLINE, JOURNAL = (
    "owner.lock", "epoch", "meta", "flags", "offline", "journal",
)  # fmt: skip

# Closing any descriptor of a file drops this process's POSIX lock on it, and a second lock by the
# same process succeeds: so no path may be tried twice in one process.
_held: dict[tuple[int, int], int] = {}


class Stream:
    """A stream directory whose lock this process holds."""

    def __init__(self, path: str, stream: bytes, epoch: int, lock_fd: int) -> None:
        self.path = path
        self.id = stream
        self.epoch = epoch
        self._lock_fd = lock_fd
        self._pid = os.getpid()
        stat = os.fstat(lock_fd)
        self._lock = (stat.st_dev, stat.st_ino)
        _held[self._lock] = self._pid

    @property
    def is_ours(self) -> bool:
        """Whether this process still holds the lock under this path."""
        if os.getpid() != self._pid:
            return False
        try:
            stat = os.stat(os.path.join(self.path, LOCK))
        except OSError:
            return False
        return (stat.st_dev, stat.st_ino) == self._lock

    def file(self, name: str) -> str:
        """Path of a file in the directory."""
        return os.path.join(self.path, name)

    @property
    def was_offline(self) -> bool:
        """Whether its owner said goodbye."""
        return os.path.exists(self.file(OFFLINE))

    def say_offline(self) -> None:
        """Leave word for the adopter that this end was meant."""
        write_file(self.file(OFFLINE), b"")

    def remove(self) -> None:
        """Delete the directory and let go."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Let go of the lock; in a forked child only the descriptor goes."""
        fd, self._lock_fd = self._lock_fd, -1
        if fd >= 0:
            if _held.get(self._lock) == os.getpid():
                del _held[self._lock]
            with contextlib.suppress(OSError):
                os.close(fd)


def create(
    streams: str, meta: Mapping[str, Any], limits: tuple[int, int], entropy: Callable[[int], bytes]
) -> Stream:
    """A new stream at epoch 1 under `streams`; `limits` are the bounds children go by.

    Raises:
        OSError: nothing usable was left behind.
    """
    stream = entropy(_ID_BYTES)
    temp = os.path.join(streams, f".new-{stream.hex()}")
    os.mkdir(temp, 0o700)
    fd = -1
    try:
        fd = _locked(os.path.join(temp, LOCK), os.O_CREAT | os.O_EXCL)
        write_file(os.path.join(temp, EPOCH), b"1")
        packed: bytes = msgpack.packb(dict(meta), use_bin_type=True, unicode_errors="replace")
        write_file(os.path.join(temp, META), packed[:MAX_BODY_BYTES])
        page = bytes(8) + _LIMITS.pack(*limits)
        write_file(os.path.join(temp, FLAGS), page.ljust(FLAG_BYTES, b"\0"))
        path = os.path.join(streams, stream.hex())
        os.rename(temp, path)
    except OSError:
        if fd >= 0:
            os.close(fd)
        shutil.rmtree(temp, ignore_errors=True)
        raise
    return Stream(path, stream, 1, fd)


def adopt(path: str) -> Stream | None:
    """Take over the stream at `path` with a higher epoch; None while somebody owns it."""
    try:
        stream = bytes.fromhex(os.path.basename(path))
        lock = os.stat(os.path.join(path, LOCK), follow_symlinks=False)
        is_own = _held.get((lock.st_dev, lock.st_ino)) == os.getpid()
        if len(stream) != _ID_BYTES or is_own or private_directory(path) is not None:
            return None
        fd = _locked(os.path.join(path, LOCK), 0)
    except (OSError, ValueError):
        return None
    try:
        epoch = read_epoch(path) + 1
        write_file(os.path.join(path, EPOCH), str(epoch).encode())
    except OSError:
        os.close(fd)
        return None
    return Stream(path, stream, epoch, fd)


def read_epoch(path: str) -> int:
    """Epoch of the last owner; 1 when the file does not tell."""
    try:
        with open(os.path.join(path, EPOCH), "rb") as file:
            return int(file.read(32))
    except (OSError, ValueError):
        return 1


def read_meta(path: str) -> dict[str, Any]:
    """What the owner said about itself; empty when unreadable."""
    try:
        with open(os.path.join(path, META), "rb") as file:
            meta = msgpack.unpackb(file.read(MAX_BODY_BYTES), raw=False)
    except (OSError, ValueError, msgpack.UnpackException):
        return {}
    return meta if isinstance(meta, dict) else {}


def read_limits(path: str) -> tuple[int, int]:
    """The owner's bounds in bytes per class, the usual ones when they cannot be read."""
    try:
        with open(os.path.join(path, FLAGS), "rb") as file:
            facts, control = _LIMITS.unpack_from(file.read(FLAG_BYTES), 8)
    except (OSError, struct.error):
        return MAX_BYTES, MAX_CONTROL_BYTES
    return facts or MAX_BYTES, control or MAX_CONTROL_BYTES


def shared_flags(path: str) -> mmap.mmap:
    """The page that owner and children share; a private one when the file cannot be mapped."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return mmap.mmap(-1, FLAG_BYTES)
    try:
        if os.fstat(fd).st_size < FLAG_BYTES:
            return mmap.mmap(-1, FLAG_BYTES)
        return mmap.mmap(fd, FLAG_BYTES)
    except OSError:
        return mmap.mmap(-1, FLAG_BYTES)
    finally:
        os.close(fd)


def write_file(path: str, data: bytes) -> None:
    """Replace a small file as one step that survives a crash.

    Raises:
        OSError: the old content is still there.
    """
    temp = path + ".tmp"
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if os.write(fd, data) != len(data):
            raise OSError("no room")
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temp, path)


def _locked(path: str, flags: int) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd
