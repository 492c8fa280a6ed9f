"""Registered tasks as z4j sees them. The rule: reading a signature imports and runs nothing."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, get_args, get_origin

from taskiq_dependencies.dependency import Dependency
from z4j_core import TaskDef
from z4j_core.definitions import OPTIONS, parameters

from .message import seconds

INTERNAL = "z4j:"
"""How the names of tasks begin that z4j registers for itself."""
_TOLD = ("queue_name", "priority", "max_retries", "timeout")


class Definitions:
    """Tasks of brokers, each described once as long as it stays the same."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Any, TaskDef]] = {}

    def of(self, brokers: Iterable[Any]) -> Iterator[TaskDef]:
        """Tasks of all these brokers, and those that belong to none."""
        tasks: dict[str, Any] = {}
        for broker in brokers:
            tasks = {**broker.get_all_tasks(), **tasks}
        for name, task in list(tasks.items()):
            if name.startswith(INTERNAL):
                continue
            known = self._known.get(name)
            if known is None or known[0] is not task:
                known = self._known[name] = (task, definition(name, task))
            yield known[1]


def definition(name: str, task: Any) -> TaskDef:
    """Describe a task by the function it was made of."""
    function, labels = task.original_func, task.labels
    told = {key: str(value) for key, value in labels.items() if key not in _TOLD}
    shown: Any = getattr(function, OPTIONS, None) or getattr(task, OPTIONS, None)
    options: dict[str, Any] = dict(told)
    if shown is not None:
        options["z4j"] = shown
    return TaskDef(
        name,
        module=function.__module__,
        params=parameters(function, but=_is_injected),
        doc=inspect.getdoc(function) or "",
        queue=labels.get("queue_name"),
        priority=_whole(labels.get("priority")),
        max_retries=_whole(labels.get("max_retries")),
        timeout_s=seconds(labels, "timeout"),
        is_async=inspect.iscoroutinefunction(function),
        options=options,
    )


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_injected(parameter: inspect.Parameter) -> bool:
    """Whether taskiq finds the value itself, so that nobody sends it."""
    found: tuple[Any, ...] = (parameter.default,)
    if get_origin(parameter.annotation) is Annotated:
        found += get_args(parameter.annotation)
    return any(isinstance(each, Dependency) for each in found)
