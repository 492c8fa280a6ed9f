"""An Emit that remembers. The rule: what a hook raises is kept, for the test to fail on."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Collection
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar, cast

from z4j_core import EventKind, Native, TaskEvent, Worker
from z4j_core.agent.runs import ORIGIN
from z4j_core.clock import SystemClock
from z4j_core.model.tasks import ENDS
from z4j_core.scheduler.fires import is_fire, read_mark

from .signals import WAIT_S, Changes

F = TypeVar("F", bound=Callable[..., Any])
_BORN = frozenset({EventKind.ENQUEUED, EventKind.SCHEDULED})
_current: ContextVar[str | None] = ContextVar("z4j_recorder_current", default=None)
"""What runs in this thread, as the agent knows it."""
_REPEATED = frozenset({EventKind.RECEIVED, EventKind.STARTED})
_KEPT = ("task", "queue", "worker", "args", "kwargs", "priority", "start", "pid", "root_id",
         "parent_id", "group_id")  # fmt: skip


class OpenGate:
    """A gate that tests open and close."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()

    @property
    def closed(self) -> bool:
        """Whether new starts must wait."""
        return not self._open.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is open."""
        return self._open.wait(timeout_s)

    def close(self) -> None:
        """Hold new starts back."""
        self._open.clear()

    def open(self) -> None:
        """Let starts through."""
        self._open.set()


class Recorder:
    """Records every fact in order; `hook_errors` holds what planted functions raised."""

    def __init__(self) -> None:
        self.events: list[TaskEvent] = []
        self.up: list[Worker] = []
        self.down: list[str] = []
        self.hook_errors: list[BaseException] = []
        self.begun: dict[str, int] = {}
        """Fires that began here, and which attempt to enqueue them did."""
        self.dropped: list[str] = []
        """Fires of which a copy did not start."""
        self.changes = Changes()
        self._gates: dict[str, OpenGate] = {}
        self._tombstones: set[str] = set()
        self._since: dict[tuple[str, int], float] = {}
        self._clock = SystemClock()

    def __call__(self, event: TaskEvent) -> None:
        """Remember one fact with what earlier ones of its attempt said, as the agent does."""
        self.changes.tell(lambda: self.events.append(self._whole(event)))

    def _whole(self, event: TaskEvent) -> TaskEvent:
        if event.kind in _BORN:
            origin = ORIGIN.get()
            return event._replace(
                parent_id=event.parent_id or _current.get(),
                retry_of=event.retry_of or (origin and origin.retry_of),
            )
        if event.kind not in ENDS and event.kind is not EventKind.STARTED:
            return event
        event = self._timed(event)
        for earlier in reversed(self.of(event.task_id)):
            if earlier.attempt == event.attempt and earlier.kind in _REPEATED:
                missing = {name for name in _KEPT if getattr(event, name) is None}
                return event._replace(**{name: getattr(earlier, name) for name in missing})
        return event

    def _timed(self, event: TaskEvent) -> TaskEvent:
        key, now = (event.task_id, event.attempt), self._clock.monotonic()
        if event.kind is EventKind.STARTED:
            _current.set(event.task_id)
            self._since[key] = now
            return event
        if _current.get() == event.task_id:
            _current.set(None)
        since = self._since.pop(key, None)
        if event.runtime_s is not None or since is None:
            return event
        return event._replace(runtime_s=now - since)

    def received(self, task_id: str, attempt: int, state: Callable[[], TaskEvent | None]) -> None:
        """Remember a fact now; waiting is the agent's affair."""
        event = state()
        if event is not None:
            self(event)

    def hook(self, fn: F, *, raises: tuple[type[BaseException], ...] = ()) -> F:
        """Guard a planted function; what it raises is kept for the test."""

        @wraps(fn, assigned=("__doc__",))
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return fn(*args, **kwargs)
            except raises:
                raise
            except Exception as error:  # noqa: BLE001  (this is the guard)
                self.hook_errors.append(error)
                return None

        return cast("F", guarded)

    def worker_up(self, worker: Worker, *, send: bool = True) -> None:
        """Remember a worker that started; one that only opened its stream is not up yet."""
        if send:
            self.changes.tell(lambda: self.up.append(worker))

    def catch_up(self, timeout_s: float) -> None:
        """Nobody ordered anything before."""

    def worker_down(self, worker_id: str, *, flush_s: float) -> None:
        """Remember a worker that stopped."""
        self.changes.tell(lambda: self.down.append(worker_id))

    def gate(self, queue: str) -> OpenGate:
        """The gate of a queue, open at first."""
        return self._gates.setdefault(queue, OpenGate())

    def tombstones(self) -> set[str]:
        """Ids cancelled before they started."""
        return self._tombstones

    def stream(self) -> str:
        """Nowhere: it is remembered."""
        return ""

    def write_to(self, path: str) -> None:
        """Remember it here all the same."""

    def first_start(self, task_id: str, mark: object) -> bool:
        """Let the first copy of a fire start, and those of the same attempt to enqueue it."""
        found = read_mark(mark)
        if found is None or found[0] != task_id or self.begun.setdefault(*found) == found[1]:
            return True
        self.dropped.append(task_id)
        return False

    def sole_start(self, task_id: str) -> bool:
        """Let a fire start once."""
        if not is_fire(task_id):
            return True
        if task_id in self.begun:
            self.dropped.append(task_id)
            return False
        self.begun[task_id] = 0
        return True

    def starts_again(self, task_id: str) -> None:
        """Let it start once more."""
        self.begun.pop(task_id, None)

    def note_start(self, task_id: str) -> None:
        """Remember that it began."""
        if is_fire(task_id):
            self.begun.setdefault(task_id, 1)

    def interrupt(self, where: Any, error: type[BaseException]) -> bool:
        """Raise `error` in a thread of this process."""
        set_error = ctypes.pythonapi.PyThreadState_SetAsyncExc
        return bool(set_error(ctypes.c_ulong(where), ctypes.py_object(error)) == 1)

    # What tests ask.

    def of(self, task_id: str) -> list[TaskEvent]:
        """All facts about a task, as they came."""
        return [event for event in list(self.events) if event.task_id == task_id]

    def kinds(self, task_id: str) -> list[EventKind]:
        """Kinds of all facts about a task, as they came."""
        return [event.kind for event in self.of(task_id)]

    def wait(
        self, task_id: str, kind: EventKind, *, attempt: int | None = None,
        timeout_s: float = WAIT_S,
    ) -> TaskEvent:  # fmt: skip
        """Wait for the first fact of a kind about a task."""

        def found() -> TaskEvent | None:
            return next(
                (event for event in self.of(task_id)
                 if event.kind is kind and attempt in (None, event.attempt)), None,
            )  # fmt: skip

        return self.changes.until(found, lambda: self._told(kind.name, task_id), timeout_s)

    def end(
        self, task_id: str, *, but: Collection[EventKind] = (EventKind.RETRYING,),
        timeout_s: float = WAIT_S,
    ) -> TaskEvent:  # fmt: skip
        """Wait for the fact that ends a task."""
        kinds = ENDS - set(but)

        def found() -> TaskEvent | None:
            return next((event for event in self.of(task_id) if event.kind in kinds), None)

        return self.changes.until(found, lambda: self._told("an end", task_id), timeout_s)

    def _told(self, what: str, task_id: str) -> str:
        names = [kind.name for kind in self.kinds(task_id)]
        return f"{what} of {task_id}, told {names}, failed hooks {self.hook_errors[-2:]}"

    def native(self, task_id: str) -> Native:
        """The engine's message of a task that ended, as the agent would keep it."""
        event = self.end(task_id)
        assert event.native is not None, f"{event.kind.name} of {task_id} carries no message"
        return event.native()
