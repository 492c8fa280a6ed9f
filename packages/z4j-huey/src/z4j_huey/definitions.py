"""Registered tasks as z4j sees them. The rule: reading a signature imports and runs nothing."""

from __future__ import annotations

import inspect
from typing import Any

from z4j_core import TaskDef
from z4j_core.definitions import OPTIONS, parameters

_TOLD = ("default_retry_delay", "default_retry_backoff", "default_expires")


def function_of(kind: Any) -> Any:
    """The app's function behind a task class: only the method that calls it knows."""
    execute = kind.execute
    cells = dict(zip(execute.__code__.co_freevars, execute.__closure__ or (), strict=True))
    return cells["func"].cell_contents if "func" in cells else execute


def definition(name: str, kind: Any, queue: str) -> TaskDef:
    """Describe a task class, its parameters by name."""
    function = function_of(kind)
    options = {each.removeprefix("default_"): str(getattr(kind, each, None)) for each in _TOLD
               if getattr(kind, each, None)}  # fmt: skip
    told: dict[str, Any] = {**options}
    if hasattr(kind, "validate_datetime"):
        told["periodic"] = True
    if (shown := getattr(function, OPTIONS, None)) is not None:
        told["z4j"] = shown
    return TaskDef(
        name,
        module=kind.__module__,
        params=parameters(function, but=_is_task if getattr(kind, "context", False) else None),
        doc=inspect.getdoc(function) or "",
        queue=queue,
        priority=kind.default_priority,
        max_retries=kind.default_retries,
        timeout_s=getattr(kind, "default_timeout", None),
        options=told,
    )


def _is_task(parameter: inspect.Parameter) -> bool:
    """Whether Huey fills it in, for a function that asked for its task."""
    return parameter.name == "task"
