"""The contract between z4j and a task engine. The rule: an adapter states facts and does verbs.

Buffering, time, host, ids, redaction, fork safety, counters and logging exist once, in the agent.
A verb is advertised by being implemented: `capabilities()` is the only list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from .model.commands import Capability, Delivery, Scope
from .model.tasks import Job, TaskDef, TaskEvent
from .model.workers import Queue, Worker

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
MaybeAwaitable: TypeAlias = T | Awaitable[T]


class Gate(Protocol):
    """Whether a queue may start new tasks in this process."""

    @property
    def closed(self) -> bool: ...
    def wait(self, timeout_s: float) -> bool: ...


class Tombstones(Protocol):
    """Ids cancelled before they started."""

    def add(self, task_id: str, /) -> None: ...
    def __len__(self) -> int: ...
    def __contains__(self, task_id: object, /) -> bool: ...


class Emit(Protocol):
    """What the agent lends an adapter. Thread-safe and fork-safe; nothing here ever raises."""

    def __call__(self, event: TaskEvent) -> None:
        """Record one fact: redact, encode, one write. Returns at once."""
        ...

    def received(self, task_id: str, attempt: int, state: Callable[[], TaskEvent | None]) -> None:
        """Say that this worker took an attempt; its STARTED or end will tell since when.

        Where none comes within 0.3 s, what `state` returns is recorded as a fact of its own.
        Until then a `kill -9` takes it along.
        """
        ...

    def hook(self, fn: F, *, raises: tuple[type[BaseException], ...] = ()) -> F:
        """Wrap a function planted in the engine so that only `raises` can leave it."""
        ...

    def worker_up(self, worker: Worker, *, send: bool = True) -> None:
        """Say that this process consumes; starts the sender of a long-lived process.

        `send` False: open the stream alone, for a process that forks its pool first.
        """
        ...

    def catch_up(self, timeout_s: float) -> None:
        """Wait, before this process consumes, for what was ordered while it was not there.

        Afterwards gates and tombstones hold the pauses and cancels that are in force. Starts the
        sender; returns at once when the brain cannot be reached, else within `timeout_s` seconds.
        """
        ...

    def worker_down(self, worker_id: str, *, flush_s: float) -> None:
        """Say that this worker stops; waits at most `flush_s` seconds for the sender."""
        ...

    def gate(self, queue: str) -> Gate: ...
    def tombstones(self) -> Tombstones: ...

    def stream(self) -> str:
        """Where this process writes, for a child that starts as a new interpreter; else empty."""
        ...

    def write_to(self, path: str) -> None:
        """Be such a child: write to its parent's `stream` and never connect."""
        ...

    def first_start(self, task_id: str, mark: object) -> bool:
        """Whether a message may start, which carries `mark` (None: it is no scheduled run).

        False for a second copy of a fire, and that is told; its engine must drop it and say
        nothing of it. Waits for at most 0.25 s; in doubt it may start. Where the engine decides
        that a message starts, in a process that lives, never in a child of a pool.
        """
        ...

    def sole_start(self, task_id: str) -> bool:
        """The same where messages cannot carry a mark: one start until `starts_again`."""
        ...

    def starts_again(self, task_id: str) -> None:
        """Before an engine retries a run that `sole_start` let through."""
        ...

    def note_start(self, task_id: str) -> None:
        """Where a second copy cannot be told from a redelivery: keep that one began, ask nobody."""
        ...

    def interrupt(self, where: Any, error: type[BaseException]) -> bool:
        """Raise `error` in a thread (its id) or a gevent greenlet; False when that is gone."""
        ...


@runtime_checkable
class Engine(Protocol):
    """One task engine of this process on one broker and namespace.

    A verb may be awaitable; an engine that has such verbs has an attribute `loop`, the event loop
    of this process that its connections belong to, or None. See `z4j_core.invoke.Answering`.
    """

    @property
    def name(self) -> str:
        """Import name of the engine = name of its entry point, for example `celery`."""
        ...

    @property
    def app(self) -> str:
        """Identity of broker and namespace without credentials; see `app_id`."""
        ...

    @property
    def delivery(self) -> Delivery: ...

    @property
    def unavailable(self) -> Mapping[Capability, str]:
        """Verbs that exist but not here, with the reason; read after attach and at heartbeats."""
        ...

    def attach(self, emit: Emit) -> None:
        """Plant hooks, start nothing; once, before any other method."""
        ...

    def detach(self) -> None:
        """Undo all of attach; idempotent; silent afterwards."""
        ...

    def discover(self) -> Iterable[TaskDef]:
        """Registered tasks; cheap, called at each heartbeat."""
        ...

    def enqueue(self, job: Job) -> MaybeAwaitable[str]:
        """Send a run and return its id.

        Raises:
            Unsupported: never possible here.
            EngineUnavailable: nothing was sent.
            Indeterminate: it may have been sent.
        """
        ...


@runtime_checkable
class KnowsQueues(Protocol):
    """An engine that can list the queues of this process."""

    def queues(self) -> Iterable[Queue]: ...


@runtime_checkable
class KnowsRunning(Protocol):
    """An engine whose tasks start in one process and are told from another."""

    def running_here(self) -> str | None:
        """Id of the task whose code runs in this thread; what it sends is its child."""
        ...


_SCOPE = "__z4j_scope__"


def scoped(scope: Scope) -> Callable[[F], F]:
    """Mark a verb as one only the process holding the run can do; undecorated = BROKER."""

    def mark(method: F) -> F:
        setattr(method, _SCOPE, scope)
        return method

    return mark


def capabilities(engine: object) -> Mapping[Capability, Scope]:
    """Verbs this engine implements, minus those it says are unavailable here."""
    unavailable: Mapping[Capability, str] = getattr(engine, "unavailable", {})
    return {
        verb: getattr(method, _SCOPE, Scope.BROKER)
        for verb in Capability
        if verb not in unavailable and callable(method := getattr(engine, verb.value, None))
    }
