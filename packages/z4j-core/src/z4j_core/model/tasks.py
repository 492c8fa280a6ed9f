"""Tasks, their events and their states. Plain data; numbers are those of the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any, NamedTuple


class TaskState(IntEnum):
    """State of one attempt; the number is its rank: a row only moves upward."""

    UNKNOWN = 0
    SCHEDULED = 1
    QUEUED = 2
    RUNNING = 3
    LOST = 4
    RETRYING = 5
    EXPIRED = 6
    CANCELLED = 7
    FAILED = 8
    SUCCEEDED = 9


class EventKind(IntEnum):
    """What an adapter may state about a task (wire numbers)."""

    ENQUEUED = 1
    SCHEDULED = 2
    RECEIVED = 3
    STARTED = 4
    RETRYING = 5
    SUCCEEDED = 6
    FAILED = 7
    CANCELLED = 8
    EXPIRED = 9
    LOST = 10
    DEAD_LETTERED = 11
    DEDUPED = 12
    REDELIVERED = 13
    REQUEUED = 14
    OBSERVED = 15
    ANNOTATED = 16


STATE_OF_KIND: Mapping[EventKind, TaskState] = {
    EventKind.ENQUEUED: TaskState.QUEUED,
    EventKind.SCHEDULED: TaskState.SCHEDULED,
    EventKind.RECEIVED: TaskState.QUEUED,
    EventKind.STARTED: TaskState.RUNNING,
    EventKind.RETRYING: TaskState.RETRYING,
    EventKind.SUCCEEDED: TaskState.SUCCEEDED,
    EventKind.FAILED: TaskState.FAILED,
    EventKind.CANCELLED: TaskState.CANCELLED,
    EventKind.EXPIRED: TaskState.EXPIRED,
    EventKind.LOST: TaskState.LOST,
    EventKind.DEAD_LETTERED: TaskState.FAILED,
    EventKind.DEDUPED: TaskState.UNKNOWN,
    EventKind.REDELIVERED: TaskState.QUEUED,
    EventKind.REQUEUED: TaskState.QUEUED,
    EventKind.OBSERVED: TaskState.UNKNOWN,
    EventKind.ANNOTATED: TaskState.UNKNOWN,
}

ENDS = frozenset(
    {
        EventKind.RETRYING,
        EventKind.SUCCEEDED,
        EventKind.FAILED,
        EventKind.CANCELLED,
        EventKind.EXPIRED,
    }
)
"""Kinds that end an attempt: exactly one of them per attempt."""


class TaskFlag(IntFlag):
    """Facts beside the state (wire position 39)."""

    REDELIVERED = 1
    IDEMPOTENT = 2
    DEAD_LETTERED = 4
    EAGER = 8
    SAMPLED = 16
    INFERRED = 32


class ErrorText(NamedTuple):
    """An exception of which the engine kept only text."""

    type: str
    message: str
    traceback: str | None = None


class TaskEvent(NamedTuple):
    """One fact an adapter states. It holds live objects and never leaves the process as it is.

    A NamedTuple because it is built in the host's thread: a frozen dataclass of this size costs
    three times as much. Times are seconds since 1970, durations seconds.
    """

    kind: EventKind
    task_id: str
    attempt: int = 0
    task: str | None = None
    queue: str | None = None
    worker: str | None = None
    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    result: object = None
    error: BaseException | ErrorText | None = None
    tries_left: int | None = None
    due_at: float | None = None
    expires_at: float | None = None
    priority: int | None = None
    start: float | None = None
    runtime_s: float | None = None
    timeout_s: float | None = None
    pid: int | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    retry_of: str | None = None
    native: Callable[[], Native] | None = None
    detail: str | None = None
    flags: int = 0
    route: str | None = None
    headers: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None
    fire: str | None = None
    """The mark its message carries, where a schedule of z4j sent it."""
    schedule: str | None = None
    """The key of the engine's own schedule that sent it."""


class Native(NamedTuple):
    """An engine's own message, ready to be sent again; moved as bytes, never decoded by z4j."""

    task: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a signature; `kind` is inspect's number: 0 positional-only … 4 **kw."""

    name: str
    kind: int
    has_default: bool = False
    default: str | None = None
    annotation: str | None = None


@dataclass(frozen=True, slots=True)
class TaskDef:
    """One function an app has registered with an engine."""

    name: str
    module: str | None = None
    params: tuple[Parameter, ...] = ()
    doc: str = ""
    source: str | None = None
    queue: str | None = None
    priority: int | None = None
    max_retries: int | None = None
    timeout_s: float | None = None
    is_async: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """One run to enqueue. `id`, when set, becomes the engine's own task id.

    Of a fire, `id` is its id and `fire` the mark that its message carries, where messages can.
    `headers` go with the message; an engine that has none refuses them. `options` are the engine's.
    """

    task: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    queue: str | None = None
    priority: int | None = None
    eta: float | None = None
    expires: float | None = None
    fire: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """A task an engine or broker still holds, as far as it can be read without the app's code."""

    task_id: str
    task: str | None
    queue: str | None
    state: TaskState
    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    opaque: str | None = None
    enqueued_at: float | None = None
    native: Native | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of held tasks; `cursor` is None at the end."""

    items: tuple[Held, ...]
    cursor: str | None = None
