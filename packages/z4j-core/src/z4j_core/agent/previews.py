"""Values of tasks as they may be shown. The rule: a task is looked up before anything of it is.

A task that is not known makes the engine tell its tasks once more: a secret among unnamed arguments
could not be recognised, nor one that only its own options name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..config import Settings
from ..model.tasks import TaskDef
from ..redact import Redactor
from .items import Preview

_MAX_NAMES = 10_000
OPTIONS = "z4j"
"""Key of `TaskDef.options` under which an adapter hands on what `z4j.options` has set."""


class Shown:
    """Previews of one engine's tasks under the settings of the app."""

    def __init__(self, settings: Settings, discover: Callable[[], object]) -> None:
        self._settings = settings
        self._discover = discover
        self._redactor = Redactor(mode=settings.args, redact=settings.redact)
        self._names: dict[str | None, tuple[str, ...]] = {None: ()}
        self._special: dict[str, Redactor] = {}
        self.no_args: Preview | None = self._redactor.preview_args((), ())
        self.no_kwargs: Preview | None = self._redactor.preview_kwargs({})

    def learn(self, tasks: Sequence[TaskDef]) -> None:
        """Take note of parameters and of how single tasks want to be shown.

        What was known of others stays: a process may look up no more than it comes by.
        """
        special = dict(self._special)
        for task in tasks:
            special.pop(task.name, None)
            if (own := self._own(task)) is not None:
                special[task.name] = own
        self._special = special
        if self._special:
            self.no_args = self.no_kwargs = None
        known = {
            task.name: tuple(p.name for p in task.params)
            for task in tasks
            if task.module is not None or task.params  # else its name is all that is known of it
        }
        names: dict[str | None, tuple[str, ...]] = dict(self._names)
        names.update(known)
        self._names = names

    def args(self, task: str | None, args: Sequence[Any]) -> Preview | None:
        """Positional arguments, masked by the names of their parameters."""
        shown = self._of(task)
        shown = self._of(task)  # which may be what makes its names known
        return shown.preview_args(args, self._names.get(task))

    def kwargs(self, task: str | None, kwargs: Mapping[str, Any]) -> Preview | None:
        """Keyword arguments."""
        return self._of(task).preview_kwargs(kwargs)

    def value(self, task: str | None, value: object) -> Preview | None:
        """A result."""
        return self._of(task).preview_value(value)

    def error(self, task: str | None, error: Any) -> tuple[str, Preview | None, Preview | None]:
        """Type, message and traceback of an exception."""
        return self._of(task).error_preview(error)

    def headers(self, headers: Mapping[str, Any]) -> dict[str, str]:
        """Headers of a message."""
        return self._redactor.headers(headers)

    def _of(self, task: str | None) -> Redactor:
        if task not in self._names:
            self._discover()
            if len(self._names) < _MAX_NAMES:
                self._names.setdefault(task, ())
        if not self._special or task is None:
            return self._redactor
        return self._special.get(task, self._redactor)

    def _own(self, task: TaskDef) -> Redactor | None:
        options = task.options.get(OPTIONS)
        if not isinstance(options, Mapping):
            return None
        words = tuple(options.get("redact") or ())
        mode = options.get("args") or self._settings.args
        if not words and mode == self._settings.args:
            return None
        return Redactor(mode=mode, redact=(*self._settings.redact, *words))
