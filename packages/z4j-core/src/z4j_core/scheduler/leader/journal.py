"""Slots remembered beside the store. The rule: it only ever makes a leader more careful.

A store that was flushed has no cursors; then a slot of this file is not fired again. Lines are
`id slot`, the last of an id counts. A file that cannot be read or written is as good as none.
"""

from __future__ import annotations

import os
from contextlib import suppress

EVERY_S = 5.0
_LINES = 50_000


class Journal:
    """A file of slots; with no path nothing is kept."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._slots: dict[str, int] = {}
        self._new: dict[str, int] = {}
        self._lines = 0

    def read(self) -> dict[str, int]:
        """What the file holds now, whoever of this host wrote it."""
        found: dict[str, int] = {}
        if not self._path:
            return found
        with suppress(OSError, ValueError), open(self._path, encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                name, _, slot = line.partition(" ")
                if slot.endswith("\n"):
                    found[name] = max(int(slot), found.get(name, 0))
        return found

    def note(self, name: str, slot_ms: int) -> None:
        """Remember a slot, with the next `write`."""
        if self._path:
            self._new[name] = slot_ms

    @property
    def is_new(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._new)

    def write(self) -> None:
        """Append what is new; rewrite the file when it has grown long."""
        new, self._new = self._new, {}
        self._slots.update(new)
        self._lines += len(new)
        with suppress(OSError):
            if self._lines < _LINES:
                self._append(new)
            else:
                self._rewrite()

    def _append(self, slots: dict[str, int]) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self._path, flags, 0o600)
        try:
            os.write(fd, "".join(f"{name} {slot}\n" for name, slot in slots.items()).encode())
        finally:
            os.close(fd)

    def _rewrite(self) -> None:
        fresh = Journal(f"{self._path}.new")
        with suppress(FileNotFoundError):
            os.unlink(fresh._path)  # noqa: PTH108
        slots = {**self.read(), **self._slots}
        fresh._append(slots)
        os.replace(fresh._path, self._path)  # noqa: PTH105
        self._lines = 0
