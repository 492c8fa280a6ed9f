"""Actors as tasks. The rule: an actor is described from what it declares; nothing of it runs."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from math import isfinite
from types import FunctionType
from typing import Any

from dramatiq.middleware import Retries, TimeLimit
from z4j_core import TaskDef
from z4j_core.definitions import OPTIONS, parameters

_MS = 1000


def definition(actor: Any, middleware: Sequence[Any]) -> TaskDef:
    """Describe an actor, its parameters by name; `middleware` knows what it leaves open.

    `priority` is Dramatiq's: among what a worker has taken, lower numbers start first.
    """
    options, function = actor.options, actor.fn
    if not isinstance(function, FunctionType):  # an actor that is a class
        function = getattr(function, "perform", function)
    told: dict[str, Any] = {name: str(value)[:200] for name, value in options.items()}
    if (shown := getattr(function, OPTIONS, None)) is not None:
        told["z4j"] = shown
    limit = options.get("time_limit", _usual(middleware, TimeLimit, "time_limit"))
    return TaskDef(
        actor.actor_name,
        module=getattr(function, "__module__", None),
        params=parameters(function),
        doc=inspect.getdoc(function) or "",
        queue=actor.queue_name,
        priority=actor.priority,
        max_retries=options.get("max_retries", _usual(middleware, Retries, "max_retries")),
        timeout_s=limit / _MS if isinstance(limit, int | float) and isfinite(limit) else None,
        is_async=inspect.iscoroutinefunction(inspect.unwrap(function)),
        options=told,
    )


def _usual(middleware: Sequence[Any], kind: type, name: str) -> Any:
    return next((getattr(each, name) for each in middleware if isinstance(each, kind)), None)
