"""Which owners of this host are alive. The rule: a lock on a file of its own, held for life.

The kernel lets go of it when a process dies, however it dies; a stopped one keeps it. Forked
children let go of what they inherited, so that the lock dies with its owner alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path

_PREFIX = "owner-"


class Living:
    """The locks in one directory."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._held: dict[str, int] = {}

    def hold(self, owner: str) -> None:
        """Say that this owner lives, for as long as this process or until `close`."""
        if owner in self._held:
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self._path(owner), flags, 0o600)
        with suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._held[owner] = fd
        _all.add(self)

    def is_dead(self, owner: str) -> bool:
        """Whether an owner is known to have died; one that left no file may live."""
        return owner not in self._held and _is_free(self._path(owner))

    def sweep(self) -> None:
        """Remove what the dead left behind."""
        mine = {self._path(owner) for owner in self._held}
        for path in self._directory.glob(f"{_PREFIX}*"):
            if path not in mine and _is_free(path):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of all locks."""
        held, self._held = self._held, {}
        _all.discard(self)
        for fd in held.values():
            os.close(fd)

    def _path(self, owner: str) -> Path:
        return self._directory / f"{_PREFIX}{hashlib.sha256(owner.encode()).hexdigest()[:32]}"


def _is_free(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


def _forked() -> None:
    for living in list(_all):
        living.close()


_all: set[Living] = set()
os.register_at_fork(after_in_child=_forked)
