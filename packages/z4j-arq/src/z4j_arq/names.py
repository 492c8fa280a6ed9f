"""Which tasks there are. The rule: a worker knows its functions, a producer what a setting names.

`Z4J_ARQ_TASKS` names settings of workers as arq's command line does. Every other name is learned
from the jobs that pass through this process.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from arq.worker import func
from z4j_core import Parameter, TaskDef
from z4j_core.definitions import OPTIONS, parameters

SETTING = "Z4J_ARQ_TASKS"
MAX_NAMES = 2000


class Names:
    """Names of tasks, the queue each was first seen on, and what is known of its function."""

    def __init__(self, settings: Sequence[str] | None = None) -> None:
        given = os.environ.get(SETTING, "").replace(",", " ").split()
        self._settings = tuple(given if settings is None else settings)
        self._queues: dict[str, str | None] = {}
        self._functions: dict[str, Any] = {}
        self._defs: dict[str, tuple[Any, TaskDef]] = {}

    def learn(self, task: str, queue: str | None) -> None:
        """Remember a task that was sent."""
        if len(self._queues) < MAX_NAMES:
            self._queues.setdefault(task, queue)

    def queue_of(self, task: str) -> str | None:
        """The queue a task was first seen on, or that its worker reads."""
        return self._queues.get(task)

    def knows(self, task: str) -> bool:
        """Whether the function of a task was seen here."""
        return task in self._functions

    def know(self, task: str, function: Any, queue: str | None) -> None:
        """Remember the function of a task."""
        self._functions[task] = function
        if self._queues.get(task) is None:
            self._queues[task] = queue

    def discover(self) -> list[TaskDef]:
        """All tasks known by now; imports only the modules of the setting, once."""
        for path in tuple(self._settings):
            try:
                self._read(path)
            finally:
                self._settings = tuple(each for each in self._settings if each != path)
        return [self._definition(task) for task in list(self._queues)]

    def _read(self, path: str) -> None:
        module, _, name = path.rpartition(".")
        settings = getattr(import_module(module), name)
        read: Callable[..., Any] = settings.get if isinstance(settings, dict) else _reader(settings)
        queue = read("queue_name", None)
        for function in map(func, read("functions", None) or ()):
            self.know(function.name, function, queue)
        for job in read("cron_jobs", None) or ():
            self.know(job.name, job, queue)

    def _definition(self, task: str) -> TaskDef:
        function, known = self._functions.get(task), self._defs.get(task)
        original = None if function is None else inspect.unwrap(function.coroutine)
        if known is None or known[0] is not original:
            made = definition(task, function, original, self._queues[task])
            known = self._defs[task] = (original, made)
        return known[1]


def _reader(settings: Any) -> Callable[..., Any]:
    return lambda name, otherwise: getattr(settings, name, otherwise)


def definition(task: str, function: Any, coroutine: Any, queue: str | None) -> TaskDef:
    """Describe a task; of one whose function is not here, its name alone."""
    if function is None:
        return TaskDef(task, queue=queue)
    options = getattr(coroutine, OPTIONS, None)
    return TaskDef(
        task,
        module=getattr(coroutine, "__module__", None),
        params=_parameters(coroutine),
        doc=inspect.getdoc(coroutine) or "",
        queue=queue,
        max_retries=None if function.max_tries is None else max(function.max_tries - 1, 0),
        timeout_s=function.timeout_s,
        is_async=True,
        options={} if options is None else {"z4j": options},
    )


def _parameters(coroutine: Any) -> tuple[Parameter, ...]:
    """Parameters without the first, which arq fills with its context."""
    found = parameters(coroutine)
    takes_context = found and found[0].kind < inspect.Parameter.VAR_POSITIONAL
    return found[1:] if takes_context else found
