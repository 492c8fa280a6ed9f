"""What agents and brains of other versions say. The rule: released words are read, never made.

`spec/spoken/<version>.json` holds the bodies of one session as that version said them; `grown` are
words of a version to come: what the wire lets a later one add, added everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgpack
from z4j_core.wire import decode_events, pack
from z4j_core.wire.codes import FLAG_CRITICAL, RecordType
from z4j_core.wire.frames import FRAMES, pack_body, unpack_body
from z4j_core.wire.records import Record, seal
from z4j_core.wire.session import Half

UNKNOWN = 99
"""Number of a record type and of a tag that no version has yet."""
_LATER = "said by a later version"


class Word(NamedTuple):
    """One record without its number and MAC."""

    speaker: str
    type: int
    body: bytes


def spoken(file: Path) -> list[Word]:
    """All that was said in the session of one version."""
    said = json.loads(file.read_text(encoding="utf-8"))["said"]
    return [Word(one["from"], RecordType[one["type"]], bytes.fromhex(one["body"])) for one in said]


def of(words: Iterable[Word], speaker: str) -> Iterator[Word]:
    """What one side said."""
    return (word for word in words if word.speaker == speaker)


def sealed(session: Half, word: Word, flags: int = 0) -> bytes:
    """A word as the next record of `session`, whatever that session knows of its type."""
    session._seq_out += 1  # noqa: SLF001 - a session itself says only what it knows
    return seal(session._key_out, Record(word.type, flags, session._seq_out, word.body))  # noqa: SLF001


def grown(word: Word) -> list[Word]:
    """The same in a version to come: longer rows, more keys, and a type nobody knows."""
    later = Word(word.speaker, UNKNOWN, pack([_LATER]))
    if word.type == RecordType.EVENTS:
        return [Word(word.speaker, word.type, _grown_events(word.body)), later]
    body = unpack_body(word.type, word.body)
    shape = FRAMES[word.type].shape
    if shape in ("map", "keys"):
        body = msgpack.unpackb(pack_body(body)) | {_LATER: [1]}
    elif shape == "row":
        body = [*body, _LATER]
    elif shape == "rows":
        body = [[*row, _LATER] for row in body]
    return [Word(word.speaker, word.type, pack(body)), later]


def _grown_events(body: bytes) -> bytes:
    """Every item is longer."""
    batch = decode_events(body)
    return pack([*batch.head, [[*item, _LATER] for item in batch.items], _LATER])


def another_tag() -> bytes:
    """An item whose tag no version has yet."""
    return pack([UNKNOWN, _LATER])


def critical(speaker: str) -> tuple[Word, int]:
    """A record nobody knows whose sender insists on it; the word and its flags."""
    return Word(speaker, UNKNOWN, pack([_LATER])), FLAG_CRITICAL
