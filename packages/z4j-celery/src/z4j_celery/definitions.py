"""Registered tasks as z4j sees them. The rule: reading a signature imports and runs nothing."""

from __future__ import annotations

from typing import Any

from z4j_core import TaskDef
from z4j_core.definitions import OPTIONS
from z4j_core.definitions import definition as described


def definition(task: Any) -> TaskDef:
    """Describe a task of an app, its parameters by name."""
    options = task._get_exec_options()  # noqa: SLF001  (the only place that holds them)
    told: dict[str, Any] = {key: str(value) for key, value in options.items() if value is not None}
    if (shown := getattr(task, OPTIONS, None)) is not None:
        told["z4j"] = shown
    return described(
        task.name,
        task.run,
        module=task.__module__,
        queue=options.get("queue"),
        priority=options.get("priority"),
        max_retries=task.max_retries,
        timeout_s=task.time_limit or task.soft_time_limit,
        options=told,
    )
