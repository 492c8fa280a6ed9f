"""From what RQ knows to plain facts. The rule: what RQ has not decoded is read, never loaded."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, NamedTuple

from rq.exceptions import DeserializationError
from rq.job import UNEVALUATED
from rq.timeouts import BaseTimeoutException
from z4j_core import ErrorText, TaskState
from z4j_core.payload import Opaque, inflated, opaque_text, peek

STATE_OF_STATUS: Mapping[str, TaskState] = {
    "queued": TaskState.QUEUED,
    "ready_to_enqueue": TaskState.QUEUED,
    "scheduled": TaskState.SCHEDULED,
    "deferred": TaskState.SCHEDULED,
    "rate_limited": TaskState.SCHEDULED,
    "started": TaskState.RUNNING,
    "finished": TaskState.SUCCEEDED,
    "failed": TaskState.FAILED,
    "stopped": TaskState.CANCELLED,
    "canceled": TaskState.CANCELLED,
}
_CALL = 4
_FRAMES = 12


class Call(NamedTuple):
    """What a job calls, as far as it can be read; `opaque` says why the rest cannot."""

    task: str | None
    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    opaque: str | None = None


def call_in(data: bytes) -> Call:
    """Read a job's bytes without running what they say."""
    kind = "json"
    try:
        plain = inflated(data)
        if plain[:1] != b"[":
            kind = "pickle"
        value = json.loads(plain) if kind == "json" else peek(plain)
    except (Opaque, ValueError, RecursionError):
        return Call(None, opaque=opaque_text(kind, data))
    if not isinstance(value, list | tuple) or len(value) != _CALL:
        return Call(None, opaque=opaque_text(kind, data))
    task, _, args, kwargs = value
    if not isinstance(args, list | tuple) or type(kwargs) is not dict:
        return Call(task if type(task) is str else None, opaque=opaque_text(kind, data))
    return Call(task if type(task) is str else None, args, kwargs)


def task_of(job: Any) -> str | None:
    """Name of the function of a job, decoded or read."""
    name = job._func_name  # noqa: SLF001  (the property decodes)
    if name is not UNEVALUATED:
        return str(name)
    data = job._data  # noqa: SLF001  (as above)
    return call_in(data).task if isinstance(data, bytes) else None


def live_call(job: Any) -> Call:
    """Name and arguments of a job that was made or is to run here: RQ has them or needs them.

    Positional arguments are left out as long as their names cannot be known: the function's
    module is imported by the job itself. The end tells them.
    """
    try:
        task, args, kwargs = str(job.func_name), job.args, job.kwargs
    except DeserializationError:
        return Call(None)
    return Call(task, args if not args or is_imported(task) else None, kwargs)


def given_call(job: Any) -> Call:
    """Name and arguments a job was made with; of one that was fetched, what can be read."""
    name, args, kwargs = job._func_name, job._args, job._kwargs  # noqa: SLF001  (not decoded)
    if UNEVALUATED in (name, args, kwargs):
        return Call(task_of(job))
    return Call(str(name), args, kwargs)


def is_imported(task: str) -> bool:
    """Whether the module of a function is there, so that its parameters can be looked up."""
    parts = task.split(".")[:-1]
    return any(".".join(parts[:end]) in sys.modules for end in range(len(parts), 0, -1))


def cron_here() -> str | None:
    """The name of the job of RQ's own cron that is being sent in this thread, if one is.

    RQ hands it to nobody: its cron does in a frame of ours what anybody's code does.
    """
    cron: Any = sys.modules.get("rq.cron")
    send = None if cron is None else cron.CronJob.enqueue.__code__
    frame = None if send is None else sys._getframe(1)  # noqa: SLF001  (the documented way)
    for _ in range(_FRAMES):
        if frame is None:
            break
        if frame.f_code is send:
            job = frame.f_locals["self"]
            return str(getattr(job, "name", None) or job.func_name)
        frame = frame.f_back
    return None


def told_of(error: BaseException | None, text: str) -> BaseException | ErrorText:
    """The exception a job ended with; only text where its process could not say it."""
    if error is not None:
        return error
    return ErrorText("rq.WorkHorseTerminated", text.strip().rstrip(";"), None)


def detail_of(error: BaseException | ErrorText) -> str | None:
    """Why an attempt failed, where it was not the job's own doing."""
    if isinstance(error, ErrorText):
        return "worker_killed"
    if isinstance(error, BaseTimeoutException):
        return "timeout"
    if isinstance(error, DeserializationError):
        return "undecodable"
    return "unregistered" if _while_importing(error.__traceback__) else None


def _while_importing(trace: TracebackType | None) -> bool:
    """Whether RQ was still looking for the function."""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name == "import_attribute" and "rq" in code.co_filename:
            return True
        trace = trace.tb_next
    return False


def word(status: Any) -> str:
    """RQ's word for a state, which is an enum in some versions and text in others."""
    return str(getattr(status, "value", status))


def epoch(when: Any) -> float | None:
    """Seconds since 1970 of a datetime or of RQ's text of one; naive means UTC."""
    if not when:
        return None
    if isinstance(when, bytes | str):
        text = when.decode() if isinstance(when, bytes) else when
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            return None
    return float((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def spent_s(job: Any) -> float | None:
    """Seconds a job ran as its worker measured it."""
    start, end = epoch(job.started_at), epoch(job.ended_at)
    return None if start is None or end is None else max(end - start, 0.0)
