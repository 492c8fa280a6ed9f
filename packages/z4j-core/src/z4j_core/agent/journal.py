"""What this agent was told to do and did. The rule: no act without a durable intent before it.

A file of framed msgpack records: intent, start of a target, code of a target, result. It is never
rewritten while a command runs; a torn tail is ignored.
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack

from ..errors import Refused

MAX_IDS = 10_000
KEPT_US = 7 * 86_400 * 1_000_000
COMPACT_BYTES = 16 << 20
_HEAD = struct.Struct(">II")
_INTENT, _START, _CODE, _RESULT = 1, 2, 3, 4


@dataclass(slots=True)
class Entry:
    """One command: how many targets, which were begun, what became of them, and the result."""

    at_us: int
    total: int
    begun: set[int] = field(default_factory=set)
    codes: dict[int, tuple[int, str | None]] = field(default_factory=dict)
    result: bytes | None = None


class Journal:
    """The journal of one stream; thread-safe.

    Raises (all writers):
        Refused: `journal_unavailable`; nothing may be done, the intent is not on disk.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._fd = -1
        self._bytes = 0
        self._lock = threading.RLock()
        self.entries: OrderedDict[bytes, Entry] = OrderedDict()

    def open(self) -> None:
        """Open for appending; happens by itself at the first record."""
        if self._path is None:
            raise OSError("the spool is in memory only")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o600)
        self._bytes = os.fstat(self._fd).st_size

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def intent(self, cmd_id: bytes, total: int, at_us: int) -> None:
        """Note durably that a command will be carried out."""
        self._append([_INTENT, cmd_id, at_us, total], durable=True)
        self.entries[cmd_id] = Entry(at_us, total)
        while len(self.entries) > MAX_IDS:
            self.entries.popitem(last=False)

    def start(self, cmd_id: bytes, index: int) -> None:
        """Note durably that one target is being acted on."""
        self._append([_START, cmd_id, index], durable=True)
        self.entries[cmd_id].begun.add(index)

    def code(self, cmd_id: bytes, index: int, code: int, new_id: str | None) -> None:
        """Note what became of one target."""
        self._append([_CODE, cmd_id, index, code, new_id], durable=False)
        self.entries[cmd_id].codes[index] = (code, new_id)

    def result(self, cmd_id: bytes, body: bytes) -> None:
        """Note the result, so that a repeated command is answered and not repeated."""
        self._append([_RESULT, cmd_id, body], durable=True)
        self.entries[cmd_id].result = body
        if self._bytes > COMPACT_BYTES:
            with self._lock, contextlib.suppress(OSError):
                self._compact()

    def remember(self, cmd_id: bytes, entry: Entry) -> None:
        """Take over an entry of another stream's journal."""
        self.intent(cmd_id, entry.total, entry.at_us)
        if entry.result is not None:
            self.result(cmd_id, entry.result)

    def _append(self, record: list[Any], *, durable: bool) -> None:
        try:
            with self._lock:
                self._write(_framed(record))
                if durable:
                    os.fdatasync(self._fd)
        except OSError as error:
            raise Refused("journal_unavailable", f"the journal is not writable: {error}") from error

    def _write(self, data: bytes) -> None:
        if self._fd < 0:
            self.open()
        if os.write(self._fd, data) != len(data):
            os.ftruncate(self._fd, self._bytes)
            raise OSError("short write")
        self._bytes += len(data)

    def _compact(self) -> None:
        """Rewrite with finished commands only; commands in flight put it off."""
        if any(entry.result is None for entry in self.entries.values()):
            return
        newest = max(entry.at_us for entry in self.entries.values())
        keep = {k: e for k, e in self.entries.items() if e.at_us > newest - KEPT_US}
        assert self._path is not None
        temp = self._path.with_suffix(".new")
        with temp.open("wb") as file:
            for cmd_id, entry in keep.items():
                file.write(_framed([_INTENT, cmd_id, entry.at_us, entry.total]))
                file.write(_framed([_RESULT, cmd_id, entry.result]))
            file.flush()
            os.fsync(file.fileno())
        temp.replace(self._path)
        self.entries = OrderedDict(keep)
        self.close()


def read_journal(path: Path) -> OrderedDict[bytes, Entry]:
    """All whole records of a journal; a missing file is an empty one."""
    entries: OrderedDict[bytes, Entry] = OrderedDict()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return entries
    for record in _records(data):
        _apply(entries, record)
    return entries


def _framed(record: list[Any]) -> bytes:
    body: bytes = msgpack.packb(record)
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _records(data: bytes) -> list[list[Any]]:
    found, at = [], 0
    while at + _HEAD.size <= len(data):
        length, crc = _HEAD.unpack_from(data, at)
        body = data[at + _HEAD.size : at + _HEAD.size + length]
        if len(body) != length or zlib.crc32(body) != crc:
            break
        found.append(msgpack.unpackb(body))
        at += _HEAD.size + length
    return found


def _apply(entries: OrderedDict[bytes, Entry], record: list[Any]) -> None:
    kind, cmd_id, *rest = record
    if kind == _INTENT:
        entries[cmd_id] = Entry(rest[0], rest[1])
    elif cmd_id not in entries:
        return
    elif kind == _START:
        entries[cmd_id].begun.add(rest[0])
    elif kind == _CODE:
        entries[cmd_id].codes[rest[0]] = (rest[1], rest[2])
    elif kind == _RESULT:
        entries[cmd_id].result = rest[0]
