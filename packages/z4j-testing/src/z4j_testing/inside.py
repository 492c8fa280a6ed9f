"""A worker in a thread of the test's process: rig A of any engine.

The rule: verbs are called on the engine itself, facts are read from its recorder. A rig of an
adapter adds the app, the worker and how its engine sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from z4j_core import Capability, EngineError, Job, Worker
from z4j_core.agent.runs import ORIGIN, Origin
from z4j_core.clock import SystemClock
from z4j_core.invoke import Answering

from .engine import missing_in
from .recorder import Recorder

AGENT_ASKED = 2


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
