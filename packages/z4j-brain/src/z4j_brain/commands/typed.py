"""Arguments an operator typed. The rule: JSON, bounded, and never a preview with gaps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import Invalid

MAX_BYTES = 64 << 10
MAX_DEPTH = 16
MASKS = ("[redacted]", "[truncated", "…[")


def checked_params(action: str, known: tuple[str, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an action as the agent takes them.

    Raises:
        Invalid: unknown parameter, no JSON, too large, too deep, or a masked value.
    """
    extra = sorted(set(given) - set(known))
    if extra:
        raise Invalid("request.invalid", f"{action} knows no {extra[0]!r}", field="params")
    params = {name: value for name, value in given.items() if value is not None}
    for name, kind in (("args", list), ("kwargs", dict)):
        if name in params:
            _check_json(name, params[name], kind)
    if "eta" in params:
        params["eta"] = _whole(params["eta"], "eta") * 1000
    if "delta" in params:
        params["delta"] = _whole(params["delta"], "delta")
    if "queue" in params and not isinstance(params["queue"], str):
        raise Invalid("request.invalid", "queue is a name", field="params.queue")
    return params


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("request.invalid", f"{name} is a whole number", field=f"params.{name}")
    return value


def _check_json(name: str, text: object, kind: type) -> None:
    field = f"params.{name}"
    if not isinstance(text, str):
        raise Invalid("request.invalid", f"{name} travels as JSON text", field=field)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Invalid("policy.args_size", f"{name}: at most {MAX_BYTES} bytes", field=field)
    if any(mask in text for mask in MASKS):
        detail = f"{name} holds a masked or cut value: a preview cannot be sent"
        raise Invalid("policy.masked_value", detail, field=field)
    try:
        value = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            "request.invalid", f"{name} is no JSON: {error}"[:200], field=field
        ) from error
    if not isinstance(value, kind):
        want = "an array" if kind is list else "an object"
        raise Invalid("request.invalid", f"{name} is {want}", field=field)
    if deeper(value, MAX_DEPTH):
        raise Invalid("policy.args_size", f"{name}: at most {MAX_DEPTH} levels", field=field)


def _no_json(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def deeper(value: Any, levels: int) -> bool:
    """Whether arrays and objects nest deeper than `levels`."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return levels == 0 or any(deeper(item, levels - 1) for item in value)
