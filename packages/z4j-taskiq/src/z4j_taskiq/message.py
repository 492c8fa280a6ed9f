"""A message as bytes. The rule: what was sent is sent again; what is shown was never unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from z4j_core import Held, Native, TaskState, Unsupported
from z4j_core.payload import Opaque, opaque_text, peek

MAX_TEXT = 16 << 20
_HARMLESS = ("MSGPackSerializer", "CBORSerializer")
NATIVE = "schedule_id"
"""The label by which taskiq's scheduler names its schedule."""
_OF_ONE_RUN = frozenset({"_retries", "delay", NATIVE, "X-Taskiq-requeue"})


class Call(NamedTuple):
    """What a message says, as far as it can be read; `opaque` says why the rest cannot."""

    task_id: str | None = None
    task: str | None = None
    labels: Mapping[str, Any] | None = None
    args: Any = None
    kwargs: Any = None
    opaque: str | None = None


def read(raw: bytes, serializer: object = None) -> Call:
    """Read a message without running what it says."""
    kind = type(serializer).__name__
    try:
        value = _value(raw, kind, serializer)
    except (Opaque, ValueError, RecursionError):
        return Call(opaque=opaque_text("message", raw))
    if type(value) is not dict:
        return Call(opaque=opaque_text("message", raw))
    task_id, task, labels = value.get("task_id"), value.get("task_name"), value.get("labels")
    args, kwargs = value.get("args"), value.get("kwargs")
    return Call(
        task_id if type(task_id) is str else None,
        task if type(task) is str else None,
        labels if type(labels) is dict else None,
        args if isinstance(args, list | tuple) else None,
        kwargs if type(kwargs) is dict else None,
    )


def held(raw: bytes, queue: str, serializer: object) -> Held:
    """A waiting message as it is shown."""
    call = read(raw, serializer)
    return Held(
        call.task_id or "", call.task, queue, TaskState.QUEUED, call.args, call.kwargs, call.opaque
    )


def is_of(raw: bytes, task_id: str, serializer: object) -> bool:
    """Whether a message is that of a task."""
    return task_id.encode() in raw and read(raw, serializer).task_id == task_id


def attempt_of(labels: Mapping[str, Any]) -> int:
    """Which attempt a message is for: retries and requeues so far, and one."""
    return 1 + number(labels, "_retries") + number(labels, "X-Taskiq-requeue")


def number(labels: Mapping[str, Any], name: str) -> int:
    """A label as a whole number; 0 where it is none."""
    try:
        return int(labels.get(name) or 0)
    except (TypeError, ValueError):
        return 0


def seconds(labels: Mapping[str, Any], name: str) -> float | None:
    """A label as seconds, None where it is none."""
    try:
        return None if labels.get(name) is None else float(labels[name])
    except (TypeError, ValueError):
        return None


def renewed(message: Any) -> dict[str, Any]:
    """Labels for another run of a decoded message: without what belongs to its own."""
    message.parse_labels()
    labels = {key: value for key, value in message.labels.items() if key not in _OF_ONE_RUN}
    return {key: value for key, value in labels.items() if not key.startswith("z4j_")}


def decoded(native: Native, loads: Any) -> Any:
    """The message in a native record.

    Raises:
        Unsupported: these bytes are no message.
    """
    try:
        return loads(message=native.body)
    except (ValueError, TypeError, LookupError) as error:
        raise Unsupported("undecodable", "not a message of taskiq") from error


def _value(raw: bytes, kind: str, serializer: Any) -> Any:
    if raw[:1] == b"{":
        if len(raw) > MAX_TEXT:
            raise Opaque("too large")
        return json.loads(raw)
    if kind in _HARMLESS:
        return serializer.loadb(raw)
    return peek(raw)
