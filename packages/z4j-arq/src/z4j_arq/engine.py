"""arq as an engine of z4j. The rule: a verb returns a fact or raises a typed error.

What is asked of Redis goes over a client of z4j's own; only what touches a running job or the size
of a worker is done on the worker's event loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from arq.jobs import SerializationError, serialize_job
from arq.utils import timestamp_ms
from z4j_core import (
    Capability,
    Delivery,
    Emit,
    EventKind,
    Held,
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
from z4j_core.place import redis_place
from z4j_core.replay.redis import RedisReplay
from z4j_core.scheduler.lease import LeaseStore
from z4j_core.scheduler.leases.offered import store_in

from . import inventory, store
from .hooks import Hooks
from .message import call_in, pack, unpack
from .names import Names
from .pools import Pools


class ArqEngine:
    """One Redis database that arq uses in this process, as producer, worker or both.

    `connection` is a synchronous client of it that only z4j uses.
    """

    name = "arq"

    def __init__(
        self, connection: Any, place: str | None = None, tasks: Sequence[str] | None = None
    ) -> None:
        self.client = connection
        self.pools = Pools()
        self.place = place or redis_place(connection.connection_pool)
        self._names = Names(tasks)
        self._hooks: Hooks | None = None

    def __repr__(self) -> str:
        return f"ArqEngine({self.place})"

    @property
    def app(self) -> str:
        """Identity of the Redis database."""
        return os.environ.get("Z4J_APP") or self.place

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop of this process's worker."""
        return self._hooks.loop if self._hooks else None

    @property
    def delivery(self) -> Delivery:
        """At least once: what a dead worker had started is run again after the longest timeout."""
        waits = [worker.in_progress_timeout_s for worker in self._workers]
        return Delivery(redelivers_after_s=float(max(waits))) if waits else Delivery(known=False)

    @property
    def unavailable(self) -> Mapping[Capability, str]:
        """Verbs that arq has not, and those that only a process with a worker can do."""
        return inventory.unavailable(self._workers)

    def attach(self, emit: Emit) -> None:
        """Plant the hooks; a second call changes nothing."""
        if self._hooks is None:
            self._hooks = Hooks(self.place, emit, self._names, self.pools)
            self._hooks.plant()

    def detach(self) -> None:
        """Take them out; a job in flight goes on unobserved."""
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            hooks.remove()

    @property
    def _workers(self) -> Sequence[Any]:
        return self._hooks.workers if self._hooks else ()

    # What is known.

    def discover(self) -> Iterable[TaskDef]:
        """Functions of this process's workers and of `Z4J_ARQ_TASKS`, and those seen here."""
        return self._names.discover()

    def queues(self) -> Iterable[Queue]:
        """Queues this process's workers read, else those seen here; `paused` only of a worker."""
        hooks = self._hooks
        if hooks is not None and hooks.workers:
            return [Queue(w.queue_name, paused=not hooks.is_open(w.queue_name))
                    for w in hooks.workers]  # fmt: skip
        return [Queue(name) for name in self.pools.queues()]

    @scoped(Scope.PROCESS)
    def workers(self) -> Iterable[Worker]:
        """The workers of this process as they are now; arq lists no others."""
        return [inventory.described(worker) for worker in self._workers]

    def fetch(self, task_id: str) -> Held:
        """Return a job as arq holds it.

        Raises:
            TaskNotFound: arq does not hold it.
        """
        with store.reached(self.client) as client:
            return store.held(client, task_id, self.pools.queues())

    # Sending.

    def enqueue(self, job: Job) -> str:
        """Send a job by the name of its function; an id that is taken sends nothing more.

        Raises:
            Unsupported: a priority, or arguments that the queue's serializer does not take.
            EngineUnavailable: no Redis, nothing was sent.
            Indeterminate: it may have been sent.
        """
        if job.priority is not None or job.headers:
            raise Unsupported("broker", "arq has neither priorities nor headers")
        queue = job.queue or self._names.queue_of(job.task) or self.pools.default()
        now = timestamp_ms()
        try:
            data = serialize_job(job.task, job.args, dict(job.kwargs), None, now,
                                 serializer=self.pools.serializer(queue))  # fmt: skip
        except SerializationError as error:
            raise Unsupported("undecodable", str(error)) from error
        told = TaskEvent(EventKind.ENQUEUED, job.id or _new_id(), 1, job.task, queue,
                         args=job.args, kwargs=job.kwargs, expires_at=job.expires)  # fmt: skip
        return self._send(told, data, job.eta)

    def retry(
        self, native: Native, *, task_id: str | None = None, queue: str | None = None,
        eta: float | None = None,
    ) -> str:  # fmt: skip
        """Send a job again, its call unread, under a new id.

        Raises:
            Unsupported: not a job of ours.
            EngineUnavailable: no Redis, nothing was sent.
            Indeterminate: it may have been sent.
        """
        packed = unpack(native)
        new_id = task_id if task_id and task_id != packed.id else _new_id()
        place = queue or packed.queue or self._names.queue_of(native.task) or self.pools.default()
        told = TaskEvent(EventKind.ENQUEUED, new_id, 1, native.task or None, place,
                         retry_of=packed.id)  # fmt: skip
        return self._send(told, packed.data, eta)

    def _send(self, told: TaskEvent, data: bytes, eta: float | None) -> str:
        now = timestamp_ms()
        due = now if eta is None else round(eta * 1e3)
        kept = max(due - now, 0) + self.pools.kept_ms()
        if told.expires_at is not None:
            kept = max(round(told.expires_at * 1e3) - now, 1)
        queue = told.queue or self.pools.default()
        self.pools.see(queue)
        with store.reached(self.client) as client:
            is_new = store.send(client, told.task_id, queue, data, due, kept)
        if not is_new:
            told = told._replace(kind=EventKind.DEDUPED, attempt=0)
        elif due > now:
            told = told._replace(kind=EventKind.SCHEDULED, due_at=eta)
        self._tell(told)
        return told.task_id

    # Stopping.

    @scoped(Scope.BROKER | Scope.PROCESS)
    def cancel(
        self, task_id: str, *, scope: Scope = Scope.BROKER | Scope.PROCESS
    ) -> Stop | Awaitable[Stop]:
        """Take a waiting job away (broker half); cancel a running one (process half, on its loop).

        Raises:
            EngineUnavailable: no Redis, nothing was changed.
        """
        answer = self._take_away(task_id) if scope & Scope.BROKER else Stop.NOT_HERE
        if answer is Stop.NOT_HERE and scope & Scope.PROCESS and self._workers:
            return self._interrupt(task_id)
        return answer

    async def _interrupt(self, task_id: str) -> Stop:
        return self._hooks.interrupt(task_id) if self._hooks else Stop.NOT_HERE

    def _take_away(self, task_id: str) -> Stop:
        with store.reached(self.client) as client:
            if store.has_result(client, task_id):
                return Stop.ALREADY
            taken = store.take(client, task_id, self.pools.queues())
        if taken is None:
            return Stop.NOT_HERE
        call = call_in(taken.data)
        native = partial(pack, task_id, taken.queue, call.task, taken.data)
        self._tell(TaskEvent(EventKind.CANCELLED, task_id, taken.tries + 1, call.task,
                             taken.queue, native=native, detail="operator"))  # fmt: skip
        return Stop.DONE

    # Queues.

    def depth(self, queue: str) -> QueueDepth:
        """Count a queue, and say how long its first job waits."""
        with store.reached(self.client) as client:
            return store.depth(client, queue)

    def purge(self, queue: str) -> int:
        """Drop what waits in a queue, put off or not; what runs goes on."""
        with store.reached(self.client) as client:
            return store.purge(client, queue)

    def peek(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        """Show the jobs of a queue and change nothing; no pickle is loaded."""
        with store.reached(self.client) as client:
            return store.peek(client, queue, limit, cursor)

    @scoped(Scope.PROCESS)
    def pause(self, queue: str) -> None:
        """Start no more jobs of a queue here; arq's cron goes on filling it."""
        if self._hooks is not None:
            self._hooks.paused.add(queue)

    @scoped(Scope.PROCESS)
    def resume(self, queue: str) -> None:
        """Start jobs of a queue again, when their worker looks next."""
        if self._hooks is not None:
            self._hooks.paused.discard(queue)

    # Workers.

    @scoped(Scope.PROCESS)
    async def pool(self, worker_id: str, delta: int) -> int:
        """Let a worker run `delta` more jobs at a time, or fewer; its new number, at least one.

        Raises:
            TaskNotFound: no such worker here.
        """
        for worker in self._workers:
            if inventory.id_of(worker) == worker_id:
                return inventory.resized(worker, delta)
        raise TaskNotFound(f"no worker {worker_id} here")

    # Stores.

    def replay_store(self) -> RedisReplay:
        """Keep messages for a retry in arq's own Redis."""
        return RedisReplay(self.client)

    def lease_store(self, group: str, boottime: Callable[[], float]) -> LeaseStore:
        """Keep the leases of a group in arq's own Redis."""
        return store_in(self.client, group, boottime, is_ours=True)

    def _tell(self, event: TaskEvent) -> None:
        if self._hooks is not None:
            self._hooks.emit(event)


def _new_id() -> str:
    """An id as arq makes them."""
    return os.urandom(16).hex()
