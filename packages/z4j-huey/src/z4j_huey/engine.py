"""Huey as an engine of z4j. The rule: a verb returns a fact or raises a typed error."""

from __future__ import annotations

import os
import signal as signals
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from z4j_core import (
    Capability,
    Delivery,
    Emit,
    Job,
    Native,
    Page,
    Queue,
    QueueDepth,
    Scope,
    Stop,
    TaskDef,
    TaskEvent,
    TaskNotFound,
    Unsupported,
    Worker,
    scoped,
)
from z4j_core.replay.redis import RedisReplay
from z4j_core.scheduler.lease import LeaseStore
from z4j_core.scheduler.leases.offered import store_in

from . import sending, store
from .definitions import definition
from .hooks import Hooks
from .inventory import grow, hears_hangup, pool_of, replaces_children, slots_of
from .live import Interrupted

_IN_WORKERS = (Capability.PAUSE, Capability.RESUME, Capability.TERMINATE, Capability.POOL,
               Capability.RESTART)  # fmt: skip
_NEVER = {Capability.FETCH: "broker", Capability.REQUEUE: "engine",
          Capability.DEAD_LETTERS: "engine", Capability.RATE_LIMIT: "engine"}  # fmt: skip
"""No storage finds a task by its id, or keeps what has failed."""


class HueyEngine:
    """One Huey instance of this process, as producer, worker or both."""

    name = "huey"

    def __init__(self, huey: Any, place: Callable[[Any], str]) -> None:
        self.huey = huey
        self._place = place
        self._identity: str | None = None
        self._hooks: Hooks | None = None
        self._defs: dict[str, tuple[Any, TaskDef]] = {}

    def __repr__(self) -> str:
        return f"HueyEngine({self.huey.name})"

    @property
    def app(self) -> str:
        """Identity of the storage and of this instance's queue in it."""
        if self._identity is None:
            self._identity = os.environ.get("Z4J_APP") or self.place
        return self._identity

    @property
    def place(self) -> str:
        """The same, whatever `Z4J_APP` says."""
        return self._place(self.huey)

    @property
    def delivery(self) -> Delivery:
        """At most once: what a dead worker had taken is gone."""
        return Delivery()

    @property
    def unavailable(self) -> Mapping[Capability, str]:
        """Verbs that take a worker, or one of its own process, and those without a queue."""
        missing: dict[Capability, str] = dict(_NEVER)
        if self.huey.immediate:
            missing |= {Capability.ENQUEUE: "eager", Capability.RETRY: "eager"}
        hooks = self._hooks
        if hooks is None or not hooks.works:
            return missing | dict.fromkeys(_IN_WORKERS, "pool")
        is_child = pool_of(hooks.consumer) == "process"
        missing[Capability.POOL if is_child else Capability.TERMINATE] = "pool"
        if not (replaces_children if is_child else hears_hangup)(hooks.consumer):
            missing[Capability.RESTART] = "needs_supervisor"
        return missing

    def attach(self, emit: Emit) -> None:
        """Plant the hooks; a second call changes nothing."""
        if self._hooks is None:
            self._hooks = Hooks(self.huey, emit)
            self._hooks.plant()

    def detach(self) -> None:
        """Take them out; a task in flight goes on unobserved."""
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            hooks.remove()

    # What is known.

    def discover(self) -> Iterable[TaskDef]:
        """Registered tasks of the instance, without Huey's own."""
        found = []
        for name, kind in list(self.huey._registry._registry.items()):  # noqa: SLF001  (the only list)
            if name.startswith("huey."):
                continue
            known = self._defs.get(name)
            if known is None or known[0] is not kind:
                known = self._defs[name] = (kind, definition(name, kind, self.huey.name))
            found.append(known[1])
        return found

    def queues(self) -> Iterable[Queue]:
        """The one queue; `paused` only in a worker."""
        hooks = self._hooks
        if hooks is None or not hooks.works:
            return [Queue(self.huey.name)]
        return [Queue(self.huey.name, paused=hooks.emit.gate(self.huey.name).closed)]

    def workers(self) -> Iterable[Worker]:
        """The worker of this process as it is now."""
        hooks = self._hooks
        return [hooks.described()] if hooks is not None and hooks.works else []

    # Sending.

    def enqueue(self, job: Job) -> str:
        """Send a task; one that is not imported here is sent by its name.

        Raises:
            Unsupported: immediate mode, another queue, or a priority the storage has not.
            EngineUnavailable: no storage, nothing was sent.
            Indeterminate: it may have been sent.
        """
        self._ready(job.queue, job.priority)
        with store.reached(self.huey):
            task_id, unheard = sending.send(self.huey, job)
        if unheard is not None:
            self._tell(unheard)
        return task_id

    def retry(
        self, native: Native, *, task_id: str | None = None, queue: str | None = None,
        eta: float | None = None,
    ) -> str:  # fmt: skip
        """Send a task again as a first attempt under a new id; its pipeline goes on.

        Raises:
            Unsupported: immediate mode, another queue, or not a task of this app.
            EngineUnavailable: no storage, nothing was sent.
            Indeterminate: it may have been sent.
        """
        self._ready(queue, None)
        with store.reached(self.huey):
            event = sending.resend(self.huey, native, task_id, eta)
        self._tell(event)
        return event.task_id

    # Stopping.

    @scoped(Scope.BROKER | Scope.PROCESS)
    def cancel(self, task_id: str, *, scope: Scope = Scope.BROKER | Scope.PROCESS) -> Stop:
        """Revoke a waiting task for once (broker half); interrupt a running one (process half).

        Huey drops a revoked task when it comes to it, one that is put off when it is due.

        Raises:
            EngineUnavailable: no storage, nothing was changed.
        """
        hooks, answer = self._hooks, Stop.NOT_HERE
        if hooks is not None and scope & Scope.PROCESS:
            answer = hooks.interrupt(task_id, Interrupted)
        if answer is Stop.NOT_HERE and scope & Scope.BROKER:
            if hooks is not None and task_id in hooks.ended:
                return Stop.ALREADY
            with store.reached(self.huey):
                self.huey.revoke_by_id(task_id, revoke_once=True)
            answer = Stop.ASKED
        return answer

    @scoped(Scope.PROCESS)
    def terminate(
        self, task_id: str, *, scope: Scope = Scope.PROCESS, signal: str = "TERM"
    ) -> Stop:
        """Interrupt a task as Huey does when it is told to stop at once; its process lives on.

        Raises:
            Unsupported: tasks share this process, or it shall be killed: nobody would tell.
        """
        hooks = self._hooks
        if hooks is None or not hooks.works:
            return Stop.NOT_HERE
        if pool_of(hooks.consumer) != "process":
            raise Unsupported("pool", "tasks share a process here: cancel instead")
        if signal.removeprefix("SIG") != "TERM":
            raise Unsupported("pool", "a worker that is killed cannot tell of its task")
        return hooks.interrupt(task_id, KeyboardInterrupt)

    # The queue.

    def depth(self, queue: str) -> QueueDepth:
        """Count what waits in the queue and in the schedule."""
        store.own(self.huey, queue)
        with store.reached(self.huey) as storage:
            return store.depth(storage)

    def purge(self, queue: str) -> int:
        """Drop what waits in the queue; the schedule stays."""
        store.own(self.huey, queue)
        with store.reached(self.huey) as storage:
            return store.purge(storage)

    def peek(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        """Show waiting tasks and change nothing; no pickle is loaded."""
        store.own(self.huey, queue)
        with store.reached(self.huey) as storage:
            return store.peek(storage, self.huey.name, limit, cursor)

    @scoped(Scope.PROCESS)
    def pause(self, queue: str) -> None:
        """Start no more tasks in this process: the gate, which the agent shuts, is all there is.

        A task that comes while it is shut is put back.
        """
        store.own(self.huey, queue)

    @scoped(Scope.PROCESS)
    def resume(self, queue: str) -> None:
        """Start tasks again, when the consumer next looks."""
        store.own(self.huey, queue)

    # The worker.

    @scoped(Scope.PROCESS)
    def pool(self, worker_id: str, delta: int) -> int:
        """Add or take away threads or greenlets; one that leaves does so when it looks for a task.

        Raises:
            Unsupported: a pool of processes, or none would be left.
        """
        hooks = self._working(worker_id)
        if pool_of(hooks.consumer) == "process":
            raise Unsupported("pool", "a consumer that forks has a fixed number of processes")
        size = slots_of(hooks.consumer) - len(hooks.leaving) + delta
        if size < 1:
            raise Unsupported("pool", "one has to stay")
        hooks.leaving.extend([None] * -delta)
        for _ in range(delta):
            grow(hooks.consumer)
        return size

    @scoped(Scope.PROCESS)
    def restart(self, worker_id: str) -> None:
        """Let tasks end, then begin anew: this child is replaced, or the consumer starts again.

        Raises:
            Unsupported: nobody would start it again.
        """
        hooks = self._working(worker_id)
        if replaces_children(hooks.consumer):
            hooks.leaving.append(None)
        elif hears_hangup(hooks.consumer):
            os.kill(os.getpid(), signals.SIGHUP)
        else:
            raise Unsupported("needs_supervisor")

    def _working(self, worker_id: str) -> Hooks:
        hooks = self._hooks
        if hooks is None or not hooks.works or hooks.worker != worker_id:
            raise TaskNotFound(worker_id)
        return hooks

    # Stores.

    def replay_store(self) -> RedisReplay | None:
        """Keep messages for a retry in the storage's Redis, if it is one."""
        storage = self.huey.storage
        return RedisReplay(storage.conn) if hasattr(storage, "queue_key") else None

    def lease_store(self, group: str, boottime: Callable[[], float]) -> LeaseStore | None:
        """Keep the leases of a group in the storage's Redis, if it is one."""
        storage = self.huey.storage
        return store_in(storage.conn, group, boottime) if hasattr(storage, "queue_key") else None

    def _ready(self, queue: str | None, priority: int | None) -> None:
        if self.huey.immediate:
            raise Unsupported("eager")
        store.own(self.huey, queue)
        if priority and not self.huey.storage.priority:
            raise Unsupported("broker", "this storage has no priorities")

    def _tell(self, event: TaskEvent) -> None:
        if self._hooks is not None:
            self._hooks.emit(event)
