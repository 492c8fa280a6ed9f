"""One attempt while its worker runs it. The rule: what arq says in passing is kept, not asked for.

arq reads a job, runs it and stores its end in one asyncio task, and what it hands to each step is
all there is to know. So that task carries what was heard along the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from arq.jobs import SerializationError
from arq.worker import JobExecutionFailed, Retry, RetryJob
from z4j_core import EventKind

_SAID = ("function", "args", "kwargs", "job_try", "enqueue_time_ms", "success", "result")
UNKNOWN = "<unknown>"
"""What arq calls the function of a job that it could not read."""


class Attempt:
    """What is known of the attempt that an asyncio task of a worker is busy with."""

    def __init__(self, data: bytes | None = None) -> None:
        self.data = data
        self.first_try = 1
        self.job_id: str | None = None
        self.task: str | None = None
        self.number = 0
        self.score = 0
        self.args: Sequence[Any] | None = None
        self.kwargs: Mapping[str, Any] | None = None
        self.result: object = None
        self.error: BaseException | None = None
        self.is_unwanted = False
        self.is_aborted = False
        self.was_cut = False
        self.has_ended = False
        self.said: dict[str, Any] = {}

    def begin(self, task: str, ctx: Mapping[str, Any], args: Any, kwargs: Any) -> None:
        """The job's own code is about to run."""
        self.task, self.args, self.kwargs = task, args, kwargs
        self.job_id, self.number, self.score = ctx["job_id"], ctx["job_try"], ctx["score"]

    def go(self) -> None:
        """Let the job's code run, unless it was cancelled after its worker had taken it."""
        if self.is_unwanted:
            raise asyncio.CancelledError

    def raised(self, error: BaseException, *, is_aborted: bool) -> None:
        """It ended with an exception; asked in the asyncio task that ran it."""
        self.error = error
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            self.is_aborted = is_aborted
            self.was_cut = task is not None and task.cancelling() > 0

    def hear(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Arq puts the end into bytes: these are its arguments."""
        self.said = dict(zip(_SAID, args, strict=False)) | dict(kwargs)

    @property
    def cause(self) -> BaseException | None:
        """Why it ended: arq's word for it, else what its code raised.

        A `Retry` only asks for another attempt: behind it is what had gone wrong.
        """
        if isinstance(self.error, Retry | RetryJob):
            hidden = None if self.error.__suppress_context__ else self.error.__context__
            return self.error.__cause__ or hidden or self.error
        said = self.said.get("result")
        if not self.said.get("success", True) and isinstance(said, BaseException):
            return said
        return self.error

    def forget(self) -> None:
        """Let go of the app's objects."""
        self.has_ended = True
        self.args = self.kwargs = self.result = self.error = None
        self.said = {}


ATTEMPT: ContextVar[Attempt | None] = ContextVar("z4j_arq_attempt", default=None)
"""That of the asyncio task this runs in, or of the one that started it."""


def death_of(said: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[EventKind, str | None]:
    """How a job ended whose code never ran; `known` are the worker's functions."""
    error = said.get("result")
    if isinstance(error, SerializationError):
        return EventKind.FAILED, "undecodable"
    if isinstance(error, asyncio.CancelledError):
        return EventKind.CANCELLED, "revoked"
    if not isinstance(error, JobExecutionFailed):
        return EventKind.FAILED, None
    if said["function"] == UNKNOWN:
        return EventKind.EXPIRED, None
    if said["function"] not in known:
        return EventKind.FAILED, "unregistered"
    return EventKind.FAILED, "retries_exhausted"
