"""Dramatiq as an engine of z4j. The rule: a verb returns a fact or raises a typed error."""

from __future__ import annotations

import os
import signal as signals
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from typing import Any

from dramatiq.common import q_name
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
    TaskNotFound,
    Unsupported,
    Worker,
    scoped,
)
from z4j_core.replay.redis import RedisReplay
from z4j_core.scheduler.lease import LeaseStore

from . import inventory, sending
from .definitions import definition
from .hooks import Hooks
from .message import of_json, renewed, unpack
from .stores import Store, store_of

_NEVER = {
    Capability.FETCH: "broker",
    Capability.TERMINATE: "pool",
    Capability.POOL: "pool",
    Capability.RATE_LIMIT: "broker",
}
"""No broker finds a message by its id; a process runs many and has a size for life."""


class DramatiqEngine:
    """One broker of this process, as producer, worker or both."""

    name = "dramatiq"

    def __init__(self, broker: Any) -> None:
        self.broker = broker
        self._store: Store = store_of(broker)
        self._hooks: Hooks | None = None
        self._defs: dict[str, tuple[Any, TaskDef]] = {}

    def __repr__(self) -> str:
        return f"DramatiqEngine({self._store.place})"

    @property
    def app(self) -> str:
        """Identity of the broker and the namespace in it."""
        return os.environ.get("Z4J_APP") or self._store.place

    @property
    def place(self) -> str:
        """The same, whatever `Z4J_APP` says."""
        return self._store.place

    @property
    def delivery(self) -> Delivery:
        """At least once: a broker hands out again what a dead worker had."""
        return self._store.delivery

    @property
    def unavailable(self) -> Mapping[Capability, str]:
        """Verbs that this broker, or this process, cannot do."""
        missing = {**_NEVER, **self._store.lacks}
        if self._hooks is None or self._hooks.worker is None:
            missing |= {Capability.PAUSE: "pool", Capability.RESUME: "pool"}
        if inventory.master() is None:
            missing[Capability.RESTART] = "needs_supervisor"
        return missing

    def attach(self, emit: Emit) -> None:
        """Plant the hooks; a second call changes nothing."""
        if self._hooks is None:
            self._hooks = Hooks(self.broker, emit)
            self._hooks.plant()

    def detach(self) -> None:
        """Take them out; a message in flight goes on unobserved."""
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            hooks.remove()

    # What is known.

    def discover(self) -> Iterable[TaskDef]:
        """Actors declared on this broker; imports nothing."""
        found = []
        for name, actor in list(self.broker.actors.items()):
            known = self._defs.get(name)
            if known is None or known[0] is not actor:
                known = self._defs[name] = (actor, definition(actor, self.broker.middleware))
            found.append(known[1])
        return found

    def queues(self) -> Iterable[Queue]:
        """Queues this worker consumes, else those declared; `paused` only in a worker."""
        hooks = self._hooks
        if hooks is None or hooks.worker is None:
            return [Queue(name) for name in sorted(map(q_name, self.broker.get_declared_queues()))]
        return [Queue(name, paused=hooks.is_closed(name)) for name in hooks.described().queues]

    @scoped(Scope.PROCESS)
    def workers(self) -> Iterable[Worker]:
        """The worker of this process; brokers know of others no more than an id."""
        hooks = self._hooks
        return [hooks.described()] if hooks is not None and hooks.worker is not None else []

    # Sending.

    def enqueue(self, job: Job) -> str:
        """Send a message; its actor need not be declared here.

        Raises:
            Unsupported: a priority where messages have none.
            EngineUnavailable: no broker, nothing was sent.
            Indeterminate: it may have been sent.
        """
        sending.refuse(self._store, job)
        return sending.send(self.broker, self._store, sending.message_of(self.broker, job), job.eta)

    def retry(
        self, native: Native, *, task_id: str | None = None, queue: str | None = None,
        eta: float | None = None,
    ) -> str:  # fmt: skip
        """Send a message again with what it was given, as a first attempt under a new id.

        `task_id` is the new id; the old one or none means that Dramatiq makes one.

        Raises:
            Unsupported: not a message of ours.
            EngineUnavailable: no broker, nothing was sent.
            Indeterminate: it may have been sent.
        """
        old_id, message = unpack(native)
        if task_id is not None and task_id != old_id:
            message = message.copy(message_id=task_id)
        if queue is not None:
            message = message.copy(queue_name=queue)
        telling = self._sending_again(message.message_id, old_id)
        return sending.send(self.broker, self._store, message, eta, telling)

    def requeue(self, queue: str, task_id: str) -> str:
        """Take a message out of the dead letters and send it again under its id, as if anew.

        Raises:
            TaskNotFound: it is not there.
            Unsupported: it is not JSON.
            EngineUnavailable: no broker, nothing was changed.
            Indeterminate: it may have been sent.
        """
        with ExitStack() as taken:
            message = renewed(of_json(self._taken(taken, queue, task_id)))
            telling = self._sending_again(task_id, None)
            made = message.copy(message_id=task_id)
            return sending.send(self.broker, self._store, made, telling=telling)

    def _taken(self, taken: ExitStack, queue: str, task_id: str) -> bytes:
        for name in [queue] if queue else sorted(self.broker.get_declared_queues()):
            with suppress(TaskNotFound):
                return taken.enter_context(self._store.taken(name, task_id))
        raise TaskNotFound(f"{task_id} is no dead letter")

    def _sending_again(self, task_id: str, retry_of: str | None) -> AbstractContextManager[None]:
        if self._hooks is None:
            return nullcontext()
        return self._hooks.sending_again(task_id, retry_of)

    # Stopping.

    @scoped(Scope.PROCESS)
    def cancel(self, task_id: str, *, scope: Scope = Scope.PROCESS) -> Stop:
        """Interrupt a running message; skip a waiting one where it comes, which ends it then."""
        return self._hooks.stop(task_id) if self._hooks is not None else Stop.NOT_HERE

    # Queues and workers.

    def depth(self, queue: str) -> QueueDepth:
        """Count a queue, as far as its broker knows."""
        return self._store.depth(queue)

    def purge(self, queue: str) -> int:
        """Drop what waits in a queue; what is put off, was taken or is dead stays."""
        return self._store.purge(queue)

    def peek(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        """Show waiting messages and change nothing; no pickle is loaded."""
        return self._store.peek(queue, limit, cursor)

    def dead_letters(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        """Show messages that failed or were cancelled while they ran."""
        return self._store.dead_letters(queue, limit, cursor)

    @scoped(Scope.PROCESS)
    def pause(self, queue: str) -> None:
        """Start no more messages of a queue in this worker: its consumers look at the gate."""
        self._gate_here(queue)

    @scoped(Scope.PROCESS)
    def resume(self, queue: str) -> None:
        """Start messages of a queue again, within a second."""
        self._gate_here(queue)

    def _gate_here(self, queue: str) -> None:
        if self._hooks is None or self._hooks.worker is None:
            raise Unsupported("pool", f"no worker of this process consumes {queue}")

    @scoped(Scope.PROCESS)
    def restart(self, worker_id: str) -> None:
        """Let Dramatiq's command line stop all its workers when they are done and start anew.

        Raises:
            Unsupported: there is none that would start them again.
            TaskNotFound: another worker is meant.
        """
        pid = inventory.master()
        if pid is None or self._hooks is None:
            raise Unsupported("needs_supervisor", "only the `dramatiq` command starts it again")
        if worker_id != inventory.worker_id():
            raise TaskNotFound(worker_id)
        os.kill(pid, signals.SIGHUP)
        self._hooks.is_stopping = True

    # Stores.

    def replay_store(self) -> RedisReplay | None:
        """Offer a replay store in the broker's Redis, if that is its broker."""
        make = getattr(self._store, "replay_store", None)
        return make() if make is not None else None

    def lease_store(self, group: str, boottime: Callable[[], float]) -> LeaseStore | None:
        """Keep the leases of a group in the broker's Redis, if that is its broker."""
        make = getattr(self._store, "lease_store", None)
        return make(group, boottime) if make is not None else None

    def close(self) -> None:
        """Let go of connections that only z4j uses."""
        self._store.close()
