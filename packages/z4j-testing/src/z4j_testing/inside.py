"""A worker in a thread of the test's process: rig A of any engine.

The rule: verbs are called on the engine itself, facts are read from its recorder. A rig of an
adapter adds the app, the worker and how its engine sends.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from z4j_core import Capability, EngineError, Job, TaskEvent, Worker
from z4j_core.agent.runs import ORIGIN, Origin
from z4j_core.clock import SystemClock
from z4j_core.invoke import Answering

from .engine import Seen, missing_in
from .recorder import Recorder

T = TypeVar("T")
AGENT_ASKED = 2


def shown(event: TaskEvent) -> Seen:
    """A fact as plain data, its error as an agent would tell it."""
    return Seen(
        event.kind, event.task_id, event.attempt, event.task, event.queue, event.worker,
        json.loads(json.dumps(event.args)), json.loads(json.dumps(event.kwargs)), event.result,
        *_error_of(event.error), event.runtime_s, event.due_at, event.priority, event.parent_id,
        event.retry_of, event.pid, event.detail, event.schedule,
        (event.fire or "").partition(":")[0] or None, event.tries_left,
    )  # fmt: skip


def _error_of(error: Any) -> tuple[str | None, str | None, str | None]:
    """Type, message and traceback: of an exception, or of what a backend kept of one."""
    if error is None:
        return None, None, None
    if not isinstance(error, BaseException):
        return error.type, error.message, error.traceback
    message = str(error.args[0]) if error.args else ""
    return type(error).__name__, message, "".join(traceback.format_exception(error))


class Inside:
    """The verbs of an engine that is attached to `emit`, and what it told there."""

    in_process = True
    engine: Any
    emit: Recorder

    def told(self, task_id: str) -> list[Seen]:
        """All facts of a task with the engine's own attempts."""
        return [shown(event) for event in self.emit.of(task_id)]

    def until(self, found: Callable[[], T], what: str, timeout_s: float) -> T:
        """Wait until something was told."""
        return self.emit.changes.until(found, what, timeout_s)

    def borrow_environ(self, **values: str) -> None:
        """Set environment variables for the worker, until `return_environ`."""
        self._borrowed = {name: os.environ.get(name) for name in values}
        os.environ.update(values)

    def return_environ(self) -> None:
        """Have the environment as it was."""
        for name, value in self._borrowed.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})

    def missing(self, verb: Capability) -> str | None:
        """Why the engine cannot do a verb."""
        return missing_in(self.engine, verb)

    def verb(self, verb: Capability, **params: Any) -> Any:
        """Carry out a verb.

        Raises:
            EngineError: it is not available, with the reason.
        """
        if (reason := self.missing(verb)) is not None:
            raise EngineError(reason)
        return getattr(Answering(self.engine), verb.value)(**params)

    def cancel(self, task_id: str) -> Any:
        """Both halves of a cancel at once."""
        return Answering(self.engine).cancel(task_id)

    def retry(self, task_id: str, *, delay_s: float | None = None) -> str:
        """Send the message of a task again; its new id."""
        eta = None if delay_s is None else SystemClock().wall_us() / 1e6 + delay_s
        before = ORIGIN.set(Origin(AGENT_ASKED, retry_of=task_id))
        try:
            native = self.emit.native(task_id)
            return str(Answering(self.engine).retry(native, task_id=task_id, eta=eta))
        finally:
            ORIGIN.reset(before)

    def place(self, job: Job) -> str:
        """Place a job."""
        return str(Answering(self.engine).enqueue(job))

    def suppressed(self) -> Sequence[str]:
        """Fires of which a copy was dropped."""
        return list(self.emit.dropped)

    def worker_now(self) -> Worker:
        """The worker as the engine describes it now."""
        found: Worker = next(iter(Answering(self.engine).workers()))
        return found

    def hook_errors(self) -> Sequence[object]:
        """Whatever went wrong in hooks."""
        return self.emit.hook_errors
