"""What a group asks of an adapter's rig. The rule: tests speak of tasks, never of an engine.

A rig's app has these tasks, all under one module:

    ok(a, b=2)            returns {"sum": a + b}
    echo(*args, **kwargs) writes the mark `echo` with its arguments
    fail(text)            raises ValueError(text)
    flaky(n)              raises KeyError("again") and asks for a retry until attempt n + 1
    doomed()              fails and retries until the engine gives up, twice
    slow(token)           waits for `release(token)`; marks `began`, `finally`, `done`
    stubborn(token)       as slow, with automatic retry on any exception
    pause(seconds)        sleeps
    echo_then_fail(*args, **kwargs)  as echo, then raises
    flaky_once_ever(key)  fails the first time it runs with this key, then returns "chained"
    unstorable()          returns what no result store can encode
    limited()             returns the time it started, seconds
    parent()              sends ok(1), returns its id
    crash()               kills its own process with SIGKILL
    hard()                exceeds its hard time limit of one second
    ignored(), rejected() end as the engine lets a task end without success or failure

What an engine does not have a rig names in `lacks`, with a reason code; `without` skips by it:
`eta` (a run may be sent before it is due), `routing` (the sender chooses the queue), `expires`,
`priority`, `chain`, `received` (a worker takes tasks before it can start them), `ignore`, `reject`,
`hard limit`, `crash`, `retries again` (a retried run may retry as often as the first), `marks` (a
message says which fire it is), `guard` (workers drop a second copy), `native` (a scheduler of its
own), `headers` (a message may have some), `fires` (scheduled runs at all: one fire is one run).
Where the engine does not number attempts, the rig does, by their ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar

import pytest
from z4j_core import Capability, Engine, EventKind, Job, Worker, capabilities

from ..signals import WAIT_S

F = TypeVar("F", bound=Callable[..., Any])


class Seen(NamedTuple):
    """One fact as a rig shows it: plain data, whichever way it came."""

    kind: EventKind
    task_id: str
    attempt: int
    task: str | None = None
    queue: str | None = None
    worker: str | None = None
    args: Any = None
    kwargs: Any = None
    result: Any = None
    error_type: str | None = None
    error_message: str | None = None
    traceback: str | None = None
    runtime_s: float | None = None
    due_at: float | None = None
    priority: int | None = None
    parent_id: str | None = None
    retry_of: str | None = None
    pid: int | None = None
    detail: str | None = None
    schedule: str | None = None
    fire_id: str | None = None
    tries_left: int | None = None


class Bench(Protocol):
    """Engines nobody attached, on a broker that needs no server."""

    package: str
    module: str

    def engine(self) -> Engine: ...
    def produce(self, engine: Engine) -> str: ...
    def hook_lists(self) -> object: ...
    def detected(self, engine: Engine) -> Sequence[Engine]: ...


class Rig(Protocol):
    """An app, its engine in this process, and a worker."""

    engine: Engine
    queue: str
    broker: str
    pool: str
    slots: int
    in_process: bool
    lacks: Mapping[str, str]
    children: str
    """What runs a task: `kept` children, `each` in one of its own, or `none`."""
    due_step_s: float
    """How much earlier than it was asked to an engine may start what waits."""

    def name(self, task: str) -> str: ...
    def send(
        self, task: str, *args: Any, kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> str: ...
    def of(self, task_id: str) -> Sequence[Seen]: ...
    def wait(
        self, task_id: str, kind: EventKind, *, attempt: int | None = None,
        timeout_s: float = WAIT_S,
    ) -> Seen: ...  # fmt: skip
    def end(self, task_id: str, *, timeout_s: float = WAIT_S) -> Seen: ...
    def missing(self, verb: Capability) -> str | None: ...
    def verb(self, verb: Capability, **params: Any) -> Any: ...
    def hostile(self, queue: str) -> str:
        """Send `ok` with an argument that writes the mark `loaded` when it is unpickled."""
        ...

    def retry(self, task_id: str, **options: Any) -> str: ...
    def cancel(self, task_id: str) -> str: ...
    def declare(self, queue: str) -> None: ...
    def occupy(self) -> object: ...
    def vacate(self, occupied: object) -> None: ...
    def worker_now(self) -> Worker: ...
    def release(self, token: str) -> None: ...
    def place(self, job: Job) -> str:
        """Place a job by the engine of this process, as a leader does; its id."""
        ...

    def options_for(self, task: str) -> dict[str, Any]:
        """Options of the engine without which a task does not do what it is listed for."""
        ...

    def suppressed(self) -> Sequence[str]:
        """Fires of which a worker has dropped a copy, once per copy."""
        ...

    def native(self) -> tuple[str, str]:
        """Send `ok` as the engine's own scheduler does; its id, and the key of the schedule."""
        ...

    def marks(self, token: str, *, at_least: int = 0) -> list[Any]: ...
    def quiet(self) -> None: ...
    def hook_errors(self) -> Sequence[object]: ...


def kinds(rig: Rig, task_id: str) -> list[EventKind]:
    """Kinds of all facts about a task, as they came."""
    return [seen.kind for seen in rig.of(task_id)]


def skip(verb: str, reason: str) -> NoReturn:
    """Skip a test in the way reports are read: verb and reason code."""
    pytest.skip(f"{verb}: {reason}")


def without(rig: Rig, feature: str) -> None:
    """Skip when the rig's engine has no such thing, with its reason."""
    if feature in rig.lacks:
        skip(feature, rig.lacks[feature])


def needs(rig: Rig, verb: Capability) -> None:
    """Skip unless the rig's engine can do `verb` here, with the engine's own reason."""
    reason = rig.missing(verb)
    if reason is not None:
        skip(verb.value, reason)


def missing_in(engine: Engine, verb: Capability) -> str | None:
    """Say why an engine cannot do `verb`, None when it can."""
    if verb in capabilities(engine):
        return None
    return engine.unavailable.get(verb, "not implemented")


def proves(*verbs: Capability) -> Callable[[F], F]:
    """Mark a test as the proof of `verbs`: passing, it turns them on in spec/capabilities."""

    def mark(test: F) -> F:
        test.__dict__["proves"] = verbs
        return test

    return mark
