"""A job as bytes. The rule: what was sent is sent again unread, and shown unloaded.

arq keeps neither id nor queue in a job's bytes, so the queue travels in front of them.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from z4j_core import Native, Unsupported
from z4j_core.payload import Opaque, opaque_text, peek

_LENGTH = struct.Struct(">I")


_CRON = re.compile(r"(cron:.+):\d{12,}")


def schedule_of(task_id: str) -> str | None:
    """The job of arq's own cron that a run is of, by its id: `cron:<name>:<ms>`."""
    if not task_id.startswith("cron:"):
        return None
    found = _CRON.fullmatch(task_id)
    return None if found is None else found[1]


class Call(NamedTuple):
    """What a job or its result says, as far as it can be read; `opaque` tells why not the rest."""

    task: str | None
    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    opaque: str | None = None
    enqueued_at: float | None = None
    is_success: bool | None = None


class Packed(NamedTuple):
    """A job taken out of Redis."""

    id: str
    queue: str | None
    data: bytes


def call_in(data: bytes) -> Call:
    """Read a job's or a result's bytes without running what they say."""
    kind = "json" if data[:1] == b"{" else "pickle"
    try:
        found = json.loads(data) if kind == "json" else peek(data)
    except (Opaque, ValueError, RecursionError):
        found = None
    if type(found) is not dict or type(found.get("f")) is not str:
        return Call(None, opaque=opaque_text(kind, data))
    task, args, kwargs = found["f"], found.get("a"), found.get("k")
    enqueued_ms, is_success = found.get("et"), found.get("s")
    enqueued_at = enqueued_ms / 1e3 if type(enqueued_ms) is int else None
    if not isinstance(args, list | tuple) or type(kwargs) is not dict:
        return Call(task, opaque=opaque_text(kind, data), enqueued_at=enqueued_at)
    said = is_success if type(is_success) is bool else None
    return Call(task, args, kwargs, None, enqueued_at, said)


def pack(task_id: str, queue: str | None, task: str | None, data: bytes) -> Native:
    """Copy a job into bytes that `unpack` understands."""
    head = json.dumps({"id": task_id, "queue": queue}, sort_keys=True).encode()
    return Native(task or "", _LENGTH.pack(len(head)) + head + data)


def unpack(native: Native) -> Packed:
    """Read what `pack` wrote; the call stays as it was.

    Raises:
        Unsupported: these bytes were not written by `pack`.
    """
    try:
        (size,) = _LENGTH.unpack_from(native.body)
        head = json.loads(native.body[4 : 4 + size])
        return Packed(head["id"], head["queue"], native.body[4 + size :])
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise Unsupported("undecodable", "not a packed arq job") from error
