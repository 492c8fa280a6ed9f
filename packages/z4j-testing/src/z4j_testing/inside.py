"""A worker in a thread of the test's process: rig A of any engine.

The rule: verbs are called on the engine itself, facts are read from its recorder. A rig of an
adapter adds the app, the worker and how its engine sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from z4j_core import Capability, EngineError, Worker
from z4j_core.clock import SystemClock
from z4j_core.invoke import Answering

from .engine import missing_in
from .recorder import Recorder


class Inside:
    """The verbs of an engine that is attached to `emit`."""

    in_process = True
    engine: Any
    emit: Recorder

    def missing(self, verb: Capability) -> str | None:
        """Why the engine cannot do a verb."""
        return missing_in(self.engine, verb)

    def verb(self, verb: Capability, **params: Any) -> Any:
        """Carry out a verb.

        Raises:
            EngineError: it is not available, with the reason.
        """
        reason = self.missing(verb)
        if reason is not None:
            raise EngineError(reason)
        return getattr(Answering(self.engine), verb.value)(**params)

    def cancel(self, task_id: str) -> Any:
        """Both halves of a cancel at once."""
        return Answering(self.engine).cancel(task_id)

    def retry(self, task_id: str, *, delay_s: float | None = None) -> str:
        """Send the message of a task again; its new id."""
        eta = None if delay_s is None else SystemClock().wall_us() / 1e6 + delay_s
        return str(Answering(self.engine).retry(self.emit.native(task_id), eta=eta))

    def worker_now(self) -> Worker:
        """The worker as the engine describes it now."""
        found: Worker = next(iter(Answering(self.engine).workers()))
        return found

    def hook_errors(self) -> Sequence[object]:
        """Whatever went wrong in hooks."""
        return self.emit.hook_errors
