"""Celery's own message as bytes. The rule: what was received is sent again unread and unchanged.

Only the headers that would make the new run part of the old one are replaced.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

from kombu.utils import json
from z4j_core import Native, Unsupported
from z4j_core.scheduler.fires import HEADER

dumps: Any = json.dumps
loads: Any = json.loads
"""kombu ships no types for its own JSON."""
NATIVE = "periodic_task_name"
"""The header by which django-celery-beat names its schedule."""
_LENGTH = struct.Struct(">I")
_RESET = {"retries": 0, "eta": None, "expires": None, "group": None, "group_index": None}


class Packed(NamedTuple):
    """A message taken off a broker: the raw body and what the transport said about it."""

    body: bytes
    is_text: bool
    content_type: str
    content_encoding: str | None
    headers: dict[str, Any]
    exchange: str
    routing_key: str
    priority: int | None


def pack(message: Any) -> Native:
    """Copy a kombu message, body unread, into bytes that `unpack` understands.

    Raises:
        Unsupported: a message of Celery's first protocol, whose id is inside the body.
    """
    headers = message.headers or {}
    if "id" not in headers:
        raise Unsupported("undecodable", "the task id is inside the body")
    delivery = message.delivery_info or {}
    return _packed(
        headers,
        message.body,
        message.content_type,
        message.content_encoding,
        (delivery.get("exchange"), delivery.get("routing_key")),
        (message.properties or {}).get("priority"),
    )


def pack_context(context: Any, content_type: str, content_encoding: str, body: Any) -> Native:
    """Pack a run of which Celery kept only the decoded context; `body` is encoded anew."""
    names = ("lang task id root_id parent_id group shadow eta expires retries timelimit argsrepr "
             "kwargsrepr origin ignore_result stamped_headers stamps")  # fmt: skip
    headers = {name: getattr(context, name, None) for name in names.split()}
    headers["lang"] = headers["lang"] or "py"
    delivery = context.delivery_info or {}
    route = (delivery.get("exchange"), delivery.get("routing_key"))
    return _packed(headers, body, content_type, content_encoding, route, delivery.get("priority"))


def _packed(
    headers: Mapping[str, Any],
    body: Any,
    content_type: str,
    content_encoding: str | None,
    route: tuple[str | None, str | None],
    priority: int | None,
) -> Native:
    is_text = isinstance(body, str)
    head = dumps(
        {
            "t": is_text,
            "c": content_type,
            "e": content_encoding,
            "h": {str(key): value for key, value in headers.items()},
            "x": route[0] or "",
            "r": route[1] or "",
            "p": priority,
        }
    ).encode()
    raw = body.encode() if is_text else bytes(body)
    return Native(str(headers["task"]), _LENGTH.pack(len(head)) + head + raw)


def unpack(native: Native) -> Packed:
    """Read what `pack` wrote; the body stays as it was.

    Raises:
        Unsupported: these bytes were not written by `pack`.
    """
    try:
        (size,) = _LENGTH.unpack_from(native.body)
        head = loads(native.body[4 : 4 + size].decode())
        body = native.body[4 + size :]
        return Packed(body, head["t"], head["c"], head["e"], head["h"], head["x"], head["r"],
                      head["p"])  # fmt: skip
    except (struct.error, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise Unsupported("undecodable", "not a packed Celery message") from error


def renewed(packed: Packed, task_id: str, eta: str | None) -> dict[str, Any]:
    """Headers of a new run of the same message: a new id, first attempt, no group, no deadline.

    Without its group header a chord's part does not report to a chord that may be over. kombu
    decompressed the body on receipt, so the mark that says it is compressed goes as well; and it is
    no run of a schedule any more.
    """
    old = packed.headers
    headers = {
        **old,
        **{key: value for key, value in _RESET.items() if key in old or value is None},
    }
    headers.update(id=task_id, retries=0, eta=eta)
    if old.get("root_id") in (None, old["id"]):
        headers["root_id"] = task_id
    for name in ("compression", HEADER, NATIVE):
        headers.pop(name, None)
    return headers


def of_redis(raw: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Split an envelope of kombu's Redis transport into headers, envelope and raw body.

    Raises:
        Exception: it is none; see `broker` for what that may be.
    """
    envelope = loads(raw.decode())
    headers, body = envelope.get("headers") or {}, envelope.get("body") or ""
    if type(headers) is not dict or type(body) is not str:
        raise TypeError("no envelope of kombu")
    if (envelope.get("properties") or {}).get("body_encoding") == "base64":
        return headers, envelope, base64.b64decode(body)
    return headers, envelope, body.encode()
