"""A message as bytes and as facts. The rule: bytes of others are read, never loaded.

What is sent again starts anew: what an earlier run left in the options is taken out.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from dramatiq.common import q_name
from dramatiq.errors import DecodeError
from dramatiq.message import Message
from z4j_core import Held, Native, TaskState, Unsupported
from z4j_core.payload import Opaque, inflated, opaque_text, peek
from z4j_core.scheduler.fires import HEADER

from .live import NOT_RETRIED

OF_A_RUN = frozenset(
    {"retries", "traceback", "requeue_timestamp", "eta", "redis_message_id", "max_age", HEADER}
)
"""Options that belong to one run: its attempts, due time, place, deadline and mark of a fire."""
_PLAIN = (str, int, float, bool, bytes, type(None))


class Read(NamedTuple):
    """What bytes on a broker say, as far as they can be read; `opaque` says why they cannot."""

    fields: Mapping[str, Any]
    opaque: str | None = None


def pack(message: Any) -> Native:
    """Encode a message as it was sent, without what this run has added."""
    return Native(message.actor_name, _plain(message).encode())


def unpack(native: Native) -> tuple[str, Any]:
    """The id of what `pack` wrote, and the same call as a message that was made now.

    The digest was looked at by whoever hands it over.

    Raises:
        Unsupported: these bytes are no message of the encoder that is set.
    """
    try:
        old: Any = Message.decode(native.body)
    except DecodeError as error:
        raise Unsupported("undecodable", "not a message of this app's encoder") from error
    return old.message_id, renewed(old)


def renewed(message: Any) -> Any:
    """The same call as a message that was made now, as yet without a new id."""
    old = _plain(message)
    made: Any = Message(
        queue_name=old.queue_name,
        actor_name=old.actor_name,
        args=old.args,
        kwargs=old.kwargs,
        options=dict(old.options),
    )
    return made


def of_json(raw: bytes) -> Any:
    """A message that somebody else has written as JSON.

    Raises:
        Unsupported: it is not JSON, which is not loaded.
    """
    read = fields_of(raw)
    if read.opaque is not None or raw[:1] != b"{":
        raise Unsupported("undecodable", "only messages in JSON are sent again from a broker")
    fields: dict[str, Any] = {**read.fields, "args": tuple(read.fields["args"])}
    return Message(**fields)


def fields_of(raw: bytes) -> Read:
    """Read a message without running what it says."""
    kind = "json" if raw[:1] == b"{" else "pickle"
    try:
        found = json.loads(raw) if kind == "json" else peek(inflated(raw))
    except (Opaque, ValueError, RecursionError):
        return Read({}, opaque_text(kind, raw))
    if type(found) is not dict or not found.keys() >= _NAMES:
        return Read({}, opaque_text(kind, raw))
    return Read(found)


def held(raw: bytes, known_id: str, queue: str, state: TaskState) -> Held:
    """A message on a broker as it is shown; `known_id` is used where its own cannot be read."""
    fields, opaque = fields_of(raw)
    task_id, task, sent = (
        fields.get(name) for name in ("message_id", "actor_name", "message_timestamp")
    )
    args, kwargs = fields.get("args"), fields.get("kwargs")
    return Held(
        task_id if type(task_id) is str else known_id,
        task if type(task) is str else None,
        queue,
        state,
        args if isinstance(args, list | tuple) else None,
        kwargs if type(kwargs) is dict else None,
        opaque,
        sent / 1000 if isinstance(sent, int | float) else None,
    )


def attempt_of(message: Any) -> int:
    """Which attempt a message is, counted from one."""
    retries = message.options.get("retries")
    return retries + 1 if type(retries) is int and retries > 0 else 1


def is_fixed(message: Any) -> bool:
    """Whether no actor can change the arguments it is given."""
    return all(type(each) in _PLAIN for each in (*message.args, *message.kwargs.values()))


def _plain(message: Any) -> Any:
    options = {
        name: value
        for name, value in message.options.items()
        if name not in OF_A_RUN and value is not NOT_RETRIED
    }
    plain = getattr(message, "_message", message)
    return dataclasses.replace(plain, queue_name=q_name(message.queue_name), options=options)


_NAMES = frozenset(field.name for field in dataclasses.fields(Message))
