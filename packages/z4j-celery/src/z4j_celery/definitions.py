"""Registered tasks as z4j sees them. The rule: reading a signature imports and runs nothing."""

from __future__ import annotations

import inspect
from typing import Any

from z4j_core import Parameter, TaskDef

_OPTIONS = "__z4j_options__"


def definition(task: Any) -> TaskDef:
    """Describe a task of an app, its parameters by name."""
    options = task._get_exec_options()  # noqa: SLF001  (the only place that holds them)
    told: dict[str, Any] = {key: str(value) for key, value in options.items() if value is not None}
    if (shown := _shown(task)) is not None:
        told["z4j"] = shown
    return TaskDef(
        task.name,
        module=task.__module__,
        params=_parameters(task),
        doc=inspect.getdoc(task.run) or "",
        queue=options.get("queue"),
        priority=options.get("priority"),
        max_retries=task.max_retries,
        timeout_s=task.time_limit or task.soft_time_limit,
        options=told,
    )


def _shown(task: Any) -> Any:
    """What `z4j.options` said of the function, or of the task that was made of it."""
    return getattr(task.run, _OPTIONS, None) or getattr(task, _OPTIONS, None)


def _parameters(task: Any) -> tuple[Parameter, ...]:
    try:
        signature = inspect.signature(task.run)
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
