"""Celery as an engine of z4j. The rule: a verb returns a fact or raises a typed error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from celery.worker import state
from z4j_core import (
    Capability,
    Delivery,
    Emit,
    Held,
    Job,
    Native,
    Page,
    Queue,
    QueueDepth,
    Scope,
    Stop,
    TaskDef,
    TaskNotFound,
    TaskState,
    Unsupported,
    Worker,
    scoped,
)
from z4j_core.replay.redis import RedisReplay
from z4j_core.scheduler.lease import LeaseStore

from . import broker, control, publish, stores
from .definitions import definition
from .hooks import Hooks
from .inventory import TERMINATED, missing_here
from .message import pack, unpack
from .requests import running_here

_INTERRUPTED = ("solo", "threads", "gevent")
_REMOTE = (Capability.PAUSE, Capability.RESUME, Capability.RATE_LIMIT, Capability.POOL,
           Capability.RESTART, Capability.TERMINATE)  # fmt: skip


class CeleryEngine:
    """One Celery app of this process, as producer, worker or both."""

    name = "celery"

    def __init__(self, app: Any, identity: str | None = None) -> None:
        self.celery = app
        self._identity = identity
        self._hooks: Hooks | None = None
        self._defs: dict[str, tuple[Any, TaskDef]] = {}

    def __repr__(self) -> str:
        return f"CeleryEngine({self.celery.main or '?'})"

    @property
    def app(self) -> str:
        """Identity of broker and namespace; reads the app's configuration when first asked."""
        if self._identity is None:
            self._identity = os.environ.get("Z4J_APP") or self.place
        return self._identity

    @property
    def place(self) -> str:
        """The same, whatever `Z4J_APP` says."""
        return broker.app_id(self.celery)

    @property
    def delivery(self) -> Delivery:
        """At most once, unless the app acknowledges late."""
        return broker.delivery(self.celery)

    @property
    def unavailable(self) -> Mapping[Capability, str]:
        """Verbs this app cannot do, from its configuration, broker and the pool of this process.

        What only a worker, or only one that forks, can do is offered by that worker alone.
        """
        conf = self.celery.conf
        missing = missing_here(self._hooks.worker if self._hooks else None)
        if broker.driver(self.celery) != "redis":
            missing[Capability.PEEK] = "broker"
        if not conf.worker_pool_restarts:
            missing.setdefault(Capability.RESTART, "config")
        if conf.task_always_eager:
            missing |= {Capability.ENQUEUE: "eager", Capability.RETRY: "eager"}
        if conf.worker_enable_remote_control is False:
            missing |= dict.fromkeys(_REMOTE, "config")
        return missing

    def attach(self, emit: Emit) -> None:
        """Connect Celery's signals; a second call changes nothing."""
        if self._hooks is None:
            self._hooks = Hooks(self.celery, emit)
            self._hooks.plant()

    def detach(self) -> None:
        """Disconnect everything; a worker in flight goes on unobserved."""
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            hooks.remove()

    # What is known.

    running_here = staticmethod(running_here)

    def discover(self) -> Iterable[TaskDef]:
        """Registered tasks of the app, without Celery's own; imports nothing."""
        found = []
        for name, task in list(self.celery.tasks.items()):
            if name.startswith("celery."):
                continue
            known = self._defs.get(name)
            if known is None or known[0] is not task:
                known = self._defs[name] = (task, definition(task))
            found.append(known[1])
        return found

    def queues(self) -> Iterable[Queue]:
        """Queues this worker consumes, else those the app declares; `paused` only in a worker."""
        names = list(self.celery.amqp.queues.consume_from)
        worker = self._hooks.worker if self._hooks else None
        consumer = getattr(getattr(worker, "consumer", None), "task_consumer", None)
        if consumer is None:
            return [Queue(name) for name in names]
        known = dict.fromkeys([*self.celery.amqp.queues, *names])
        return [Queue(name, paused=not consumer.consuming_from(name)) for name in known]

    def workers(self) -> Iterable[Worker]:
        """The worker of this process as it is now."""
        hooks = self._hooks
        return [hooks.described()] if hooks and hooks.worker is not None else []

    @scoped(Scope.PROCESS)
    def fetch(self, task_id: str) -> Held:
        """Return a delivery that this worker holds.

        Raises:
            TaskNotFound: this worker does not hold it.
        """
        run = self._hooks.deliveries.requests.live(task_id) if self._hooks else None
        request = run() if run is not None else None
        if self._hooks is None or run is None or request is None:
            raise TaskNotFound(task_id)
        delivery = request.delivery_info
        queue = self._hooks.deliveries.queue_of(delivery["exchange"], delivery["routing_key"])
        waiting = TaskState.SCHEDULED if request.eta else TaskState.QUEUED
        return Held(
            task_id, request.name, queue, TaskState.RUNNING if run.started else waiting,
            request.args, request.kwargs, native=pack(request.message),
        )  # fmt: skip

    # Sending.

    def enqueue(self, job: Job) -> str:
        """Send a run; a task that is not imported here is sent by its name.

        Raises:
            Unsupported: eager mode.
            EngineUnavailable: no broker, nothing was sent.
            Indeterminate: it may have been sent.
        """
        if self.celery.conf.task_always_eager:
            raise Unsupported("eager")
        return publish.send(self.celery, job)

    def retry(
        self, native: Native, *, task_id: str | None = None, queue: str | None = None,
        eta: float | None = None,
    ) -> str:  # fmt: skip
        """Send a message again, body unread, as a first attempt under a new id.

        `task_id` is the new id; the old one or none means that Celery makes one.

        Raises:
            Unsupported: eager mode, or not a message of ours.
            EngineUnavailable: no broker, nothing was sent.
            Indeterminate: it may have been sent.
        """
        if self.celery.conf.task_always_eager:
            raise Unsupported("eager")
        sent = publish.resend(self.celery, unpack(native), task_id, queue, eta)
        if self._hooks is not None:
            self._hooks.deliveries.resent(native.task, sent, eta)
        return sent.id

    # Stopping.

    @scoped(Scope.BROKER | Scope.PROCESS)
    def cancel(self, task_id: str, *, scope: Scope = Scope.BROKER | Scope.PROCESS) -> Stop:
        """Revoke a waiting run (broker half); interrupt a running one (process half).

        Raises:
            Unsupported: running in a pool that cannot be interrupted.
            EngineUnavailable: no broker, nothing was sent.
        """
        answer = Stop.NOT_HERE
        hooks = self._hooks
        if hooks is not None and scope & Scope.PROCESS:
            answer = self._stop_here(hooks, task_id, "SIGUSR1")
        if answer is not Stop.ALREADY and scope & Scope.BROKER:
            if hooks is not None and hooks.deliveries.requests.ended(task_id):
                return Stop.ALREADY
            control.stop(self.celery, task_id)
            answer = Stop.ASKED
        return answer

    @scoped(Scope.PROCESS)
    def terminate(
        self, task_id: str, *, scope: Scope = Scope.PROCESS, signal: str = "TERM"
    ) -> Stop:
        """Kill the child process or greenlet that runs a task; others go on.

        Raises:
            Unsupported: the pool runs tasks in threads of one process: cancel instead.
        """
        hooks = self._hooks
        if hooks is None or hooks.worker is None:
            return Stop.NOT_HERE
        if hooks.pool not in TERMINATED:
            raise Unsupported("pool", "tasks share a process here: cancel instead")
        return self._stop_here(hooks, task_id, "SIG" + signal.removeprefix("SIG"))

    def _stop_here(self, hooks: Hooks, task_id: str, signal: str) -> Stop:
        run = hooks.deliveries.requests.live(task_id)
        if run is None:
            hooks.emit.tombstones().add(task_id)
            return Stop.ALREADY if hooks.deliveries.requests.ended(task_id) else Stop.NOT_HERE
        state.revoked.add(task_id)
        request = run()
        if request is None or request not in state.active_requests:
            return Stop.ASKED
        if hooks.pool in _INTERRUPTED:
            return Stop.ASKED if hooks.deliveries.interrupt(task_id) else Stop.ALREADY
        if hooks.pool != "prefork":
            raise Unsupported("pool")
        control.stop(self.celery, task_id, request.hostname, signal)
        return Stop.ASKED

    # Queues and workers.

    def depth(self, queue: str) -> QueueDepth:
        """Count what waits in a queue; prefetched and delayed messages are with their worker."""
        return broker.depth(self.celery, queue)

    def purge(self, queue: str) -> int:
        """Drop what waits in a queue; what workers already hold survives."""
        return broker.purge(self.celery, queue)

    def peek(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        """Show waiting messages of a Redis queue and change nothing."""
        return broker.peek(self.celery, queue, limit, cursor)

    def pause(self, queue: str) -> None:
        """Let all workers stop consuming a queue; lost when a worker restarts."""
        control.ask(self.celery, "cancel_consumer", queue)

    def resume(self, queue: str) -> None:
        """Let the workers that consumed a queue do so again; one without an agent always does."""
        control.ask(self.celery, "add_consumer", queue, options={control.RESUMED: True})

    def rate_limit(self, task: str, per_second: float | None) -> None:
        """Limit how often each worker starts a task; None lifts the limit."""
        control.ask(
            self.celery, "rate_limit", task, "0" if per_second is None else f"{per_second * 60:g}/m"
        )

    def pool(self, worker_id: str, delta: int) -> int:
        """Grow or shrink a prefork pool and return the size its worker now works towards."""
        before = control.processes(self.celery, worker_id)
        command = "pool_grow" if delta > 0 else "pool_shrink"
        control.ask(self.celery, command, abs(delta), destination=[worker_id])
        return before + delta

    def restart(self, worker_id: str) -> None:
        """Start the processes of a worker's pool anew; needs `worker_pool_restarts`.

        Each process ends with the task it runs, an idle one with its next.

        Raises:
            Unsupported: that pool has no processes: Celery would say yes and do nothing.
        """
        if not control.processes(self.celery, worker_id):
            raise Unsupported("pool", "only a pool of processes can be started anew")
        control.ask(self.celery, "pool_restart", destination=[worker_id])

    # Stores.

    def replay_store(self) -> RedisReplay | None:
        """Offer a replay store in the broker's or the result backend's Redis, if there is one."""
        return stores.replay_store(self.celery)

    def lease_store(self, group: str, boottime: Callable[[], float]) -> LeaseStore | None:
        """Offer a store for the leases of a group, where there is one for messages."""
        return stores.lease_store(self.celery, group, boottime)
