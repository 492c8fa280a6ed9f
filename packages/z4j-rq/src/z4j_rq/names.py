"""Which tasks there are. The rule: RQ has no list, so what was seen and what a setting names.

`Z4J_RQ_TASKS` names modules; their functions made with RQ's `@job` are tasks. Every other name is
learned from the jobs that pass through this process.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from z4j_core import TaskDef
from z4j_core.definitions import brief, definition

from .facts import call_in

SETTING = "Z4J_RQ_TASKS"
MAX_NAMES = 2000
MAX_UNREAD = 100


class Names:
    """Names of tasks, the queue each was first seen on, and what is known of its function."""

    def __init__(self, modules: Sequence[str] | None = None) -> None:
        given = os.environ.get(SETTING, "").replace(",", " ").split()
        self._modules = tuple(given if modules is None else modules)
        self._queues: dict[str, str | None] = {}
        self._unread: deque[tuple[bytes, str]] = deque(maxlen=MAX_UNREAD)
        self._defs: dict[str, tuple[Any, TaskDef]] = {}
        self._is_brief = False

    def learn(self, task: str | None, queue: str | None) -> None:
        """Remember a task that was sent or ran."""
        if task and len(self._queues) < MAX_NAMES:
            self._queues.setdefault(task, queue)

    def note(self, data: Any, queue: str) -> None:
        """Remember a job whose name is looked up later, off the worker's way."""
        if isinstance(data, bytes):
            self._unread.append((data, queue))

    def in_horse(self) -> None:
        """Know no tasks but those this horse comes by, and of those what masks their arguments.

        All others are the worker's: a horse would look each of them up for its one job.
        """
        self._unread.clear()
        self._queues.clear()
        self._defs.clear()
        self._is_brief = True

    def queue_of(self, task: str) -> str | None:
        """The queue a task was first seen on."""
        return self._queues.get(task)

    def discover(self) -> list[TaskDef]:
        """All tasks known by now; imports only the modules of the setting, once."""
        for module in tuple(self._modules):
            try:
                for task in _marked(import_module(module)):
                    self.learn(task, None)
            finally:
                self._modules = tuple(name for name in self._modules if name != module)
        while self._unread:
            data, queue = self._unread.popleft()
            self.learn(call_in(data).task, queue)
        return [self._definition(task) for task in list(self._queues)]

    def _definition(self, task: str) -> TaskDef:
        function = function_of(task)
        known = self._defs.get(task)
        if known is None or known[0] is not function:
            if self._is_brief:
                made = brief(task, function)
            else:
                made = definition(task, function, queue=self._queues[task])
            known = self._defs[task] = (function, made)
        return known[1]


def function_of(task: str) -> Any:
    """The function a name stands for, if its module is imported; nothing of the app runs."""
    parts = task.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:end]))
        if module is None:
            continue
        found: Any = module
        for part in parts[end:]:
            if type(found) is ModuleType:  # as below, at a tenth of the price
                found = vars(found).get(part)
            else:
                found = inspect.getattr_static(found, part, None)
        return getattr(found, "__func__", found)
    return None


def _marked(module: ModuleType) -> Iterator[str]:
    for function in list(vars(module).values()):
        if isinstance(function, FunctionType) and hasattr(function, "delay"):
            yield f"{function.__module__}.{function.__qualname__}"
