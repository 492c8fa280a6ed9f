"""Actors as tasks. The rule: an actor is described from what it declares; nothing of it runs."""

from __future__ import annotations

import inspect
from typing import Any

from z4j_core import Parameter, TaskDef

_OPTIONS = "__z4j_options__"
_MS = 1000


def definition(actor: Any) -> TaskDef:
    """Describe an actor, its parameters by name.

    `priority` is Dramatiq's: among what a worker has taken, lower numbers start first.
    """
    options, function = actor.options, actor.fn
    told: dict[str, Any] = {name: str(value)[:200] for name, value in options.items()}
    if (shown := getattr(function, _OPTIONS, None)) is not None:
        told["z4j"] = shown
    limit = options.get("time_limit")
    return TaskDef(
        actor.actor_name,
        module=getattr(function, "__module__", None),
        params=_parameters(function),
        doc=inspect.getdoc(function) or "",
        queue=actor.queue_name,
        priority=actor.priority,
        max_retries=options.get("max_retries"),
        timeout_s=limit / _MS if isinstance(limit, int) else None,
        is_async=inspect.iscoroutinefunction(inspect.unwrap(function)),
        options=told,
    )


def _parameters(function: Any) -> tuple[Parameter, ...]:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ()
    empty = inspect.Parameter.empty
    return tuple(
        Parameter(
            each.name,
            int(each.kind),
            each.default is not empty,
            None if each.default is empty else repr(each.default)[:100],
            None if each.annotation is empty else inspect.formatannotation(each.annotation),
        )
        for each in signature.parameters.values()
    )
