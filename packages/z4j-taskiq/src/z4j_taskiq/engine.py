"""taskiq as an engine of z4j. The rule: a verb returns a fact or raises a typed error."""

from __future__ import annotations

import asyncio
import os
import signal as signals
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from z4j_core import (
    Capability,
    Delivery,
    Emit,
    EventKind,
    Job,
    Native,
    Queue,
    Scope,
    Stop,
    TaskDef,
    TaskEvent,
    Unsupported,
    Worker,
    scoped,
)
from z4j_core.clock import SystemClock
from z4j_core.scheduler.fires import HEADER
from z4j_core.scheduler.lease import LeaseStore

from .definitions import Definitions
from .hooks import Asked, Hooks
from .message import attempt_of, decoded, read, renewed
from .runs import Here
from .sending import Sent, send
from .stores import Store, Wish, store_of
from .workers import Consumers, is_supervised

STOP_S = 3.0
_OF_WORKERS = (Capability.PAUSE, Capability.RESUME, Capability.RESTART)
_NEVER = {Capability.FETCH: "broker", Capability.TERMINATE: "pool", Capability.REQUEUE: "engine",
          Capability.DEAD_LETTERS: "engine", Capability.POOL: "engine",
          Capability.RATE_LIMIT: "engine"}  # fmt: skip
"""No broker finds a message by its id; tasks share one loop, in a receiver nobody can reach."""


class TaskiqEngine:
    """The brokers of one place in this process: as producers, as workers or both.

    A place is one Redis database, virtual host or set of NATS servers; `broker` is the first one
    that was found there.
    """

    name = "taskiq"

    def __init__(self, broker: Any) -> None:
        self.stores: list[Store] = []
        self._here = Here()
        self._definitions = Definitions()
        self._emit: Emit | None = None
        self._consumers: Consumers | None = None
        self._hooks: list[Hooks] = []
        self._place = store_of(broker).place
        self.add(broker)

    def __repr__(self) -> str:
        return f"TaskiqEngine({self._place})"

    @property
    def app(self) -> str:
        """Identity of the place."""
        return os.environ.get("Z4J_APP") or self._place

    @property
    def place(self) -> str:
        """The same, whatever `Z4J_APP` says."""
        return self._place

    @property
    def delivery(self) -> Delivery:
        """What the first broker promises."""
        return self.stores[0].delivery

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop the brokers work in, as long as it runs."""
        loop = self._here.loop
        return loop if loop is not None and loop.is_running() else None

    @property
    def unavailable(self) -> Mapping[Capability, str]:
        """Verbs that taskiq, the broker or this process does not offer."""
        lacking: dict[Capability, str] = {**_NEVER, **self.stores[0].lacks}
        consuming = self._consumers.hooks if self._consumers else []
        if not consuming:
            lacking |= dict.fromkeys(_OF_WORKERS, "pool")
        elif any(len(each.store.queues) > 1 for each in consuming):
            lacking |= {Capability.PAUSE: "broker", Capability.RESUME: "broker"}
        if not is_supervised():
            lacking[Capability.RESTART] = "needs_supervisor"
        return lacking

    def add(self, broker: Any) -> None:
        """Take a broker of this place; the same one twice is taken once."""
        if any(each.broker is broker for each in self.stores):
            return
        self.stores.append(store_of(broker))
        if self._emit is not None:
            self._plant(self.stores[-1])

    def attach(self, emit: Emit) -> None:
        """Plant the hooks; a second call changes nothing."""
        if self._emit is None:
            self._emit = emit
            self._consumers = Consumers(emit, self._here)
            for store in self.stores:
                self._plant(store)

    def detach(self) -> None:
        """Take them out; a task in flight goes on unobserved."""
        hooks, self._hooks = self._hooks, []
        for each in hooks:
            each.remove()
        self._emit = self._consumers = None

    def _plant(self, store: Store) -> None:
        assert self._emit is not None
        assert self._consumers is not None
        hooks = Hooks(store, self._emit, self._here, self._consumers)
        hooks.plant()
        self._hooks.append(hooks)

    # What is known.

    def discover(self) -> Iterable[TaskDef]:
        """Tasks of all brokers, and those that are shared between brokers."""
        return list(self._definitions.of([store.broker for store in self.stores]))

    def queues(self) -> Iterable[Queue]:
        """Queues this process reads, else those its brokers would read and has sent to."""
        consuming = self._consumers.hooks if self._consumers else []
        if consuming:
            return [
                Queue(q, paused=each.is_paused) for each in consuming for q in each.store.queues
            ]
        return [Queue(name) for name in self._known_queues(self.stores[0])]

    def workers(self) -> Iterable[Worker]:
        """The worker of this process as it is now; elsewhere, consumers the broker knows."""
        if self._consumers is not None and self._consumers.hooks:
            return [self._consumers.described()]
        return list(self.stores[0].workers())

    # Sending.

    def enqueue(self, job: Job) -> Awaitable[str]:
        """Send a run by the name of its task, with the labels its decorator gave it, if it is here.

        Raises:
            Unsupported: what the broker would take and not do.
            EngineUnavailable: no broker, nothing was sent.
            Indeterminate: it may have been sent.
        """
        hooks = self._towards(job.queue)
        if job.expires is not None and job.fire is None:  # a fire's is looked at before it is sent
            raise Unsupported("broker", "taskiq has no deadlines for waiting tasks")
        task = hooks.broker.find_task(job.task)
        labels = {} if task is None else dict(task.labels)
        labels |= {**job.headers, **job.options, **({HEADER: job.fire} if job.fire else {})}
        what = Sent(job.task, labels, job.args, job.kwargs, job.id)
        return self._sent(hooks, what, Asked(due_at=job.eta), Wish(job.queue, job.priority))

    def retry(
        self, native: Native, *, task_id: str | None = None, queue: str | None = None,
        eta: float | None = None,
    ) -> Awaitable[str]:  # fmt: skip
        """Send a message again under a new id, as a first attempt.

        Raises:
            Unsupported: not a message, or a due time the broker does not know.
            EngineUnavailable: no broker, nothing was sent.
            Indeterminate: it may have been sent.
        """
        hooks = self._towards(queue)
        message = decoded(native, hooks.seam.loads)
        new_id = task_id if task_id != message.task_id else None
        what = Sent(native.task, renewed(message), message.args, message.kwargs, new_id)
        return self._sent(hooks, what, Asked(message.task_id, eta), Wish(queue))

    def _sent(self, hooks: Hooks, what: Sent, asked: Asked, wish: Wish) -> Awaitable[str]:
        if asked.due_at is not None:
            now = SystemClock().wall_us() / 1e6
            wish = wish._replace(delay_s=max(asked.due_at - now, 0.0))
        labels = {**what.labels, **hooks.store.route(what.labels, wish)}
        hooks.store.reach()
        return send(hooks, what._replace(labels=labels), asked, self.loop)

    # Stopping.

    @scoped(Scope.BROKER | Scope.PROCESS)
    def cancel(
        self, task_id: str, *, scope: Scope = Scope.BROKER | Scope.PROCESS
    ) -> Stop | Awaitable[Stop]:
        """Take a waiting message off its queue (broker half); cancel a running task (process half).

        What a worker already holds, or gets later, ends before it starts: see `arrived` in hooks.

        Raises:
            EngineUnavailable: no broker, nothing was changed.
        """
        if scope & Scope.PROCESS:
            run = self._here.runs.get(task_id)
            if run is not None:
                return run.cancel()
            if task_id in self._here.ended:
                return Stop.ALREADY
            if self._emit is not None:
                self._emit.tombstones().add(task_id)
        return self._take_back(task_id) if scope & Scope.BROKER else Stop.NOT_HERE

    def _take_back(self, task_id: str) -> Stop:
        for store in self.stores:
            raw = store.take(task_id, self._known_queues(store))
            if raw is None:
                continue
            call = read(raw, store.broker.serializer)
            labels = call.labels or {}
            self._tell(TaskEvent(
                EventKind.CANCELLED, task_id, attempt_of(labels), call.task, store.queue_of(labels),
                native=partial(Native, call.task or "", raw), detail="operator",
            ))  # fmt: skip
            return Stop.DONE
        return Stop.NOT_HERE

    # Queues.

    def depth(self, queue: str) -> Any:
        """Count a queue."""
        return self._towards(queue).store.depth(queue)

    def purge(self, queue: str) -> Any:
        """Drop what waits in a queue; what workers hold already runs."""
        return self._towards(queue).store.purge(queue)

    def peek(self, queue: str, limit: int = 20, cursor: str | None = None) -> Any:
        """Show waiting messages and change nothing; no pickle is loaded."""
        return self._towards(queue).store.peek(queue, limit, cursor)

    @scoped(Scope.PROCESS)
    async def pause(self, queue: str) -> None:
        """Take no more messages in this worker."""
        for hooks in self._reading(queue):
            hooks.shut()

    @scoped(Scope.PROCESS)
    async def resume(self, queue: str) -> None:
        """Take messages again."""
        for hooks in self._reading(queue):
            hooks.reopen()

    @scoped(Scope.PROCESS)
    async def restart(self, worker_id: str) -> None:
        """Stop this worker as Ctrl+C does; taskiq's manager starts another in its place."""
        if self._consumers is None or self._consumers.id != worker_id or not is_supervised():
            raise Unsupported("needs_supervisor", "nothing would start it again")
        consuming = list(self._consumers.hooks)
        os.kill(os.getpid(), signals.SIGINT)
        for hooks in consuming:
            await hooks.silence(STOP_S)

    # Stores.

    def replay_store(self) -> Any:
        """Keep messages for a retry in the broker, where it is Redis."""
        return self.stores[0].replays()

    def lease_store(self, group: str, boottime: Callable[[], float]) -> LeaseStore | None:
        """Keep the leases of a group in the broker, where it is Redis."""
        return self.stores[0].leases(group, boottime)

    def _towards(self, queue: str | None) -> Hooks:
        """The broker that reads a queue, else the first."""
        reading = self._reading(queue) if queue is not None else []
        return reading[0] if reading else self._hooks[0]

    def _reading(self, queue: str | None) -> list[Hooks]:
        return [hooks for hooks in self._hooks if queue in hooks.store.queues]

    def _known_queues(self, store: Store) -> list[str]:
        seen = [name for hooks in self._hooks if hooks.store is store for name in hooks.seen]
        labelled = [task.queue for task in self.discover() if task.queue]
        return list(dict.fromkeys((*store.queues, *labelled, *seen)))

    def _tell(self, event: TaskEvent) -> None:
        if self._emit is not None:
            self._emit(event)
