"""Answers on the wire. The rule: an error says code and sentence, never a path or a trace."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from ..errors import Problem

TITLES = {
    400: "Bad request",
    401: "Sign in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "The state has moved on",
    412: "It has changed",
    413: "Too large",
    415: "Unsupported type",
    422: "Cannot be meant",
    428: "Say which revision",
    429: "Too many",
    500: "Internal error",
    503: "Not now",
}


def answer(value: Any, status: int = 200) -> Response:
    """`value` as JSON; a Response passes through, None is 204."""
    if isinstance(value, Response):
        return value
    if value is None:
        return Response(status_code=204)
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def problem(error: Problem, request_id: str) -> Response:
    """RFC 9457 document of `error`."""
    status = error.status
    document: dict[str, Any] = {
        "type": f"urn:z4j:error:{error.code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    document |= {name: value for name, value in error.extra.items() if value is not None}
    headers = {}
    if "retry_after_s" in error.extra:
        headers["Retry-After"] = str(error.extra["retry_after_s"])
    body = msgspec.json.encode(document)
    return Response(body, status, headers, media_type="application/problem+json")
