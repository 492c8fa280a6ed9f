"""A task as Huey's own bytes. The rule: to be shown it is walked, to be sent again it is decoded.

What is sent again was written by a worker of this app, and its digest was compared before.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pickle import UnpicklingError  # noqa: TID251  (an error: nothing is loaded by this module)
from typing import Any, NamedTuple

from huey.registry import Message
from z4j_core import Native, Unsupported
from z4j_core.payload import Node, Opaque, inflated, opaque_text, peek

from .facts import huey_time, moment

RAW = "_z4j_raw"
"""Attribute of a task that was read: the bytes it was made of, which its code cannot change."""
MAX_BYTES = 16 << 20
_SHOWN = ("id", "name", "eta", "args", "kwargs")
_AT = {name: Message._fields.index(name) for name in _SHOWN}
_LAST = max(_AT.values())
_DAMAGED = (ValueError, TypeError, AttributeError, ImportError, LookupError, EOFError,
            UnpicklingError, zlib.error)  # fmt: skip


class Read(NamedTuple):
    """What can be read of a message without its app's code; `opaque` says why the rest cannot."""

    id: str
    task: str | None = None
    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    is_delayed: bool = False
    opaque: str | None = None


def read(data: Any) -> Read:
    """Walk a message; whatever it would import, build or call stays a name."""
    body = bytes(data)
    try:
        node = peek(inflated(body))
    except Opaque:
        return Read("", opaque=opaque_text("pickle", body))
    if type(node) is not Node or len(node.args) <= _LAST:
        return Read("", opaque=opaque_text("pickle", body))
    task_id, name, eta, args, kwargs = (node.args[at] for at in _AT.values())
    if type(task_id) is not str or type(name) is not str:
        return Read("", opaque=opaque_text("pickle", body))
    if not isinstance(args, list | tuple) or type(kwargs) is not dict:
        return Read(task_id, name, opaque=opaque_text("pickle", body))
    return Read(task_id, name, args, kwargs, eta is not None)


def pack(huey: Any, task: Any, name: str) -> Native:
    """The bytes a task was read from; of one that never was, those it would be sent as."""
    raw = vars(task).get(RAW)
    return Native(name, bytes(raw) if raw is not None else huey.serialize_task(task))


def made(huey: Any, fields: Mapping[str, Any]) -> Any:
    """A message of the fields that this version of Huey has."""
    message = Message(**{name: value for name, value in fields.items() if name in Message._fields})
    return _resolved(huey, message)


def renewed(huey: Any, native: Native, task_id: str, eta: float | None) -> tuple[Any, str]:
    """A message that calls what the packed one called, as a first attempt, and the old id.

    What comes after it in a pipeline stays; a chord has already counted it and is left out.

    Raises:
        Unsupported: it cannot be decoded here.
    """
    message = decoded(huey, native)
    kind = huey._registry._registry.get(message.name)  # noqa: SLF001  (`string_to_task` raises)
    changed: dict[str, Any] = {
        "id": task_id,
        "eta": huey_time(eta, utc=huey.utc),
        "expires": None,
        "expires_resolved": None,
        "retries": message.retries if kind is None else kind.default_retries,
    }
    if "chord_config" in Message._fields:
        changed["chord_config"] = None
    return message._replace(**changed), str(message.id)


def decoded(huey: Any, native: Native) -> Any:
    """The message of a task of this app, built by its own serializer.

    Raises:
        Unsupported: that does not work here.
    """
    try:
        message = huey.serializer.deserialize(native.body)
    except _DAMAGED as error:
        raise Unsupported("undecodable", f"not read by this app's serializer: {error}") from error
    if not isinstance(message, Message):
        raise Unsupported("undecodable", "not a message of Huey")
    return message


def _resolved(huey: Any, message: Any) -> Any:
    """Times in Huey's own form; `expires` is resolved anew at each retry and keeps its zone."""
    return message._replace(
        eta=huey_time(message.eta, utc=huey.utc),
        expires=moment(message.expires),
        expires_resolved=huey_time(message.expires, utc=huey.utc),
    )
