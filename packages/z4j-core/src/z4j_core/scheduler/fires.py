"""Names of fires. The rule: one slot of one generation has one name, wherever it is computed.

Source: scheduling.md section 1; UUIDs of version 5 as in RFC 9562.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..wire.codec import pack

_FIRE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_MARK = re.compile(rf"({_FIRE.pattern}):([1-9][0-9]{{0,4}})")
HEADER = "z4j_fire"
"""The header, label or option that carries `mark` where an engine has such."""
RESERVED = frozenset(
    {"id", "task_id", "job_id", "message_id", "eta", "countdown", "headers", "z4j_fire", "_job_id"}
)
"""Options that would contradict the fire: its id, its time and its mark are z4j's own."""


def fire_id(schedule: str, generation: int, slot_ms: int) -> str:
    """The id of a slot's fire; it becomes the engine's task id. `schedule` is a UUID as text."""
    return named(schedule, f"{generation}|{slot_ms}")


def named(schedule: str, name: str) -> str:
    """The UUID of version 5 of a name that belongs to a schedule; thousands are made at once."""
    said = bytes.fromhex(schedule.replace("-", "")) + name.encode()
    found = bytearray(hashlib.sha1(said, usedforsecurity=False).digest()[:16])
    found[6] = found[6] & 0x0F | 0x50
    found[8] = found[8] & 0x3F | 0x80
    text = found.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def manual_id(schedule: str, nonce: str) -> str:
    """The id of a fire by hand."""
    return named(schedule, f"m|{nonce}")


def backfill_id(schedule: str, backfill: str, slot_ms: int) -> str:
    """The id of one slot of a backfill: the same backfill has the same ids."""
    return named(schedule, f"b|{backfill}|{slot_ms}")


def replay_id(schedule: str, nonce: str) -> str:
    """The id of a fire that is done again."""
    return named(schedule, f"r|{nonce}")


def mark(fire: str, enq: int) -> str:
    """What a message of a fire carries: which fire, and which attempt to enqueue it (from 1)."""
    return f"{fire}:{enq}"


def read_mark(text: object) -> tuple[str, int] | None:
    """Fire and attempt of a mark; None for anything else."""
    match = _MARK.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else (match[1], int(match[2]))


def is_fire(task_id: str) -> bool:
    """Whether an id can be that of a fire: a UUID of version 5."""
    return _FIRE.fullmatch(task_id) is not None


def digest(task: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    """What names an invocation: who fires it compares this with what was declared or approved.

    SHA-256 of canonical msgpack `[task, args, kwargs]`; keys in any order give the same.

    Raises:
        WireError: an argument that is no JSON value.
    """
    return hashlib.sha256(pack([task, _sorted(list(args)), _sorted(dict(kwargs))])).digest()


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(each) for each in value]
    return value
