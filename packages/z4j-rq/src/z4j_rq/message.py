"""A job as bytes. The rule: what was sent is sent again unread; nothing in it is decoded.

The number of retries is not kept by RQ, so the new run has none left.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from rq.job import Job
from z4j_core import Native, Unsupported
from z4j_core.payload import Opaque, inflated

from .facts import Call, call_in, task_of

MAX_BYTES = 1 << 20
"""Largest job that is unpacked to be sent again, bytes: what it costs is the worker's time."""
_LENGTH = struct.Struct(">I")
_TEXTS = ("origin", "description", "success_callback_name", "failure_callback_name",
          "stopped_callback_name")  # fmt: skip
_NUMBERS = ("timeout", "result_ttl", "failure_ttl", "ttl", "success_callback_timeout",
            "failure_callback_timeout", "stopped_callback_timeout")  # fmt: skip
FIELDS = ("data", *_TEXTS, *_NUMBERS)
"""Fields of a job's hash that a new run needs."""
_PRIVATE = ("callback_name", "callback_timeout")


class Inert:
    """A serializer for jobs whose bytes are none of our business."""

    @staticmethod
    def dumps(*_: Any, **__: Any) -> bytes:
        """Nothing: what is there stays."""
        return b""

    @staticmethod
    def loads(*_: Any, **__: Any) -> Any:
        """Nothing: what is there is not looked at."""
        return {}


class Packed(NamedTuple):
    """A job taken out of Redis: its call as bytes and what RQ keeps beside it."""

    id: str
    data: bytes
    settings: dict[str, Any]


def pack(job: Any) -> Native:
    """Copy a job, its call undecoded, into bytes that `unpack` understands."""
    found = {name: getattr(job, _attribute(name), None) for name in (*_TEXTS, *_NUMBERS)}
    return _packed(job.id, task_of(job), bytes(job.data), found)


def pack_fields(
    job_id: str, fields: Mapping[str, bytes | None], call: Call | None = None
) -> Native:  # fmt: skip
    """The same of the fields of a job's hash; `call` is what was read of it before.

    Raises:
        Unsupported: it is damaged, or larger than `MAX_BYTES` when unpacked.
    """
    data = plain(fields.get("data") or b"")
    found: dict[str, Any] = {}
    for name in _TEXTS:
        text = fields.get(name)
        found[name] = text.decode("utf-8", "replace") if text else None
    for name in _NUMBERS:
        number = fields.get(name)
        found[name] = int(number) if number else None
    return _packed(job_id, (call or call_in(data)).task, data, found)


def plain(data: bytes) -> bytes:
    """A job's bytes without their compression.

    Raises:
        Unsupported: damaged, or larger than `MAX_BYTES`.
    """
    try:
        return inflated(data, MAX_BYTES)
    except Opaque as error:
        raise Unsupported("undecodable", str(error)) from error


def unpack(native: Native) -> Packed:
    """Read what `pack` wrote; the call stays as it was.

    Raises:
        Unsupported: these bytes were not written by `pack`.
    """
    try:
        (size,) = _LENGTH.unpack_from(native.body)
        head = json.loads(native.body[4 : 4 + size])
        return Packed(head["id"], native.body[4 + size :], head["set"])
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise Unsupported("undecodable", "not a packed RQ job") from error


def renewed(packed: Packed, task_id: str | None, connection: Any) -> Any:
    """A new job that calls what the packed one called."""
    job: Any = Job(task_id, connection=connection, serializer=Inert)
    job.data = packed.data
    for name, value in packed.settings.items():
        if value is not None and name in FIELDS:
            setattr(job, _attribute(name), value)
    return job


def _attribute(name: str) -> str:
    return f"_{name}" if name.endswith(_PRIVATE) else name


def _packed(job_id: str, task: str | None, data: bytes, found: Mapping[str, Any]) -> Native:
    kept = {name: value for name, value in found.items() if value not in (None, "")}
    head = json.dumps({"id": job_id, "set": kept}, sort_keys=True).encode()
    return Native(task or "", _LENGTH.pack(len(head)) + head + data)
