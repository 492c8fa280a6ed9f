"""Cursors of lists. The rule: opaque, signed, and good for one list only."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import msgspec

from ..errors import Invalid

TAG = 12


def seal(key: bytes, purpose: str, place: list[Any]) -> str:
    """A cursor for `place`; `purpose` names list, project and order."""
    body = msgspec.msgpack.encode(place)
    return urlsafe_b64encode(_tag(key, purpose, body) + body).decode().rstrip("=")


def unseal(key: bytes, purpose: str, cursor: str, length: int) -> list[Any]:
    """The place a cursor stands for.

    Raises:
        Invalid: forged, cut, or of another list.
    """
    try:
        raw = urlsafe_b64decode(cursor[:2048].encode("ascii") + b"=" * (-len(cursor) % 4))
        tag, body = raw[:TAG], raw[TAG:]
        place = msgspec.msgpack.decode(body)
    except (ValueError, msgspec.DecodeError) as error:
        raise Invalid("request.cursor", "this cursor is not ours", field="cursor") from error
    spelled = urlsafe_b64encode(raw).decode().rstrip("=") == cursor
    genuine = spelled and hmac.compare_digest(tag, _tag(key, purpose, body))
    if not genuine or not isinstance(place, list) or len(place) != length:
        raise Invalid("request.cursor", "this cursor is not of this list", field="cursor")
    return place


def _tag(key: bytes, purpose: str, body: bytes) -> bytes:
    return hmac.new(key, purpose.encode() + b"\0" + body, sha256).digest()[:TAG]
