"""RQ as an engine of z4j. The rule: a verb returns a fact or raises a typed error."""

from __future__ import annotations

import os
import signal as signals
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

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

from . import inventory, sending, store
from .hooks import Hooks
from .live import LIVE, kill
from .message import pack_fields, unpack
from .names import Names

_WAITING = frozenset({"queued", "scheduled", "deferred", "rate_limited", "created", ""})
_ENDED = frozenset({"finished", "failed", "stopped", "canceled"})


class RQEngine:
    """One Redis database that RQ uses in this process, as producer, worker or both.

    `connection` is a client of it that only z4j uses.
    """

    name = "rq"

    def __init__(
        self, connection: Any, place: str | None = None, tasks: Sequence[str] | None = None
    ) -> None:
        self.client = connection
        self.place = place or redis_place(connection.connection_pool)
        self._names = Names(tasks)
        self._ours: set[str] = set()
        self._serializers: dict[str, Any] = {}
        self._hooks: Hooks | None = None

    def __repr__(self) -> str:
        return f"RQEngine({self.place})"

    @property
    def app(self) -> str:
        """Identity of the Redis database."""
        return os.environ.get("Z4J_APP") or self.place

    @property
    def delivery(self) -> Delivery:
        """At most once: what a dead worker had started is not handed out again."""
        return Delivery()

    @property
    def unavailable(self) -> Mapping[Capability, str]:
        """Verbs this process cannot do."""
        return inventory.unavailable(self._hooks.worker if self._hooks else None)

    def attach(self, emit: Emit) -> None:
        """Plant the hooks; a second call changes nothing."""
        if self._hooks is None:
            self._hooks = Hooks(self.place, emit, self._names, self._ours, self._serializers)
            self._hooks.plant()

    def detach(self) -> None:
        """Take them out; a job in flight goes on unobserved."""
        hooks, self._hooks = self._hooks, None
        if hooks is not None:
            hooks.remove()

    # What is known.

    def discover(self) -> Iterable[TaskDef]:
        """Tasks of the modules in `Z4J_RQ_TASKS`, and those seen here."""
        return self._names.discover()

    def queues(self) -> Iterable[Queue]:
        """Queues this worker reads, else all that RQ has listed; `paused` only in a worker."""
        worker = self._hooks.worker if self._hooks else None
        if self._hooks is not None and worker is not None:
            paused = self._hooks.paused
            return [Queue(name, paused=name in paused) for name in worker.queue_names()]
        with store.reached(self.client) as client:
            keys = [store.text(key) for key in client.smembers("rq:queues")]
        return [Queue(key.removeprefix("rq:queue:")) for key in sorted(keys)]

    def workers(self) -> Iterable[Worker]:
        """The worker of this process as it is now; elsewhere, those RQ lists in Redis."""
        if self._hooks is not None and self._hooks.worker is not None:
            return [self._hooks.described()]
        with store.reached(self.client) as client:
            return list(inventory.registered(client))

    def fetch(self, task_id: str) -> Held:
        """Return a job as RQ holds it.

        Raises:
            TaskNotFound: RQ does not hold it.
        """
        with store.reached(self.client) as client:
            return store.held(client, task_id)

    # Sending.

    def enqueue(self, job: Job) -> str:
        """Send a job by the name of its function; nothing is imported.

        Raises:
            Unsupported: priority, expiry, or a due time without a scheduler.
            EngineUnavailable: no Redis, nothing was sent.
            Indeterminate: it may have been sent.
        """
        queue = job.queue or self._names.queue_of(job.task) or sending.DEFAULT_QUEUE
        with store.reached(self.client) as client:
            return sending.send(client, job, queue, self._serializers.get(queue))

    def retry(
        self, native: Native, *, task_id: str | None = None, queue: str | None = None,
        eta: float | None = None,
    ) -> str:  # fmt: skip
        """Send a job again, its call unread, under a new id; RQ has kept no number of retries.

        Raises:
            Unsupported: not a job of ours, or a due time without a scheduler.
            EngineUnavailable: no Redis, nothing was sent.
            Indeterminate: it may have been sent.
        """
        packed = unpack(native)
        new_id = task_id if task_id != packed.id else None
        place = queue or packed.settings.get("origin") or sending.DEFAULT_QUEUE
        with store.reached(self.client) as client:
            job = sending.resend(client, packed, new_id, place, eta)
            with self._telling(job.id):
                sending.push(client, place, job, eta)
        kind = EventKind.ENQUEUED if eta is None else EventKind.SCHEDULED
        self._tell(TaskEvent(kind, job.id, 0, native.task or None, place, due_at=eta,
                             retry_of=packed.id))  # fmt: skip
        return str(job.id)

    def requeue(self, queue: str, task_id: str) -> str:
        """Take a job out of the registry of failed jobs, back onto its queue, under its id.

        Raises:
            TaskNotFound: it is not there.
        """
        with store.reached(self.client) as client:
            place = queue or store.text(store.fields_of(client, task_id)["origin"])
            sending.requeue(client, place, task_id)
        self._tell(TaskEvent(EventKind.REQUEUED, task_id, 0, queue=place))
        return task_id

    # Stopping.

    @scoped(Scope.BROKER | Scope.PROCESS)
    def cancel(self, task_id: str, *, scope: Scope = Scope.BROKER | Scope.PROCESS) -> Stop:
        """Take a waiting job off its queue (broker half); interrupt a running one (process half).

        Raises:
            EngineUnavailable: no Redis, nothing was changed.
        """
        answer = Stop.NOT_HERE
        if self._hooks is not None and scope & Scope.PROCESS:
            answer = self._interrupt(self._hooks, task_id)
        if answer is Stop.NOT_HERE and scope & Scope.BROKER:
            answer = self._take_back(task_id)
        return answer

    @scoped(Scope.PROCESS)
    def terminate(
        self, task_id: str, *, scope: Scope = Scope.PROCESS, signal: str = "TERM"
    ) -> Stop:
        """Kill the horse that runs a job; RQ marks the job stopped.

        Raises:
            Unsupported: this worker runs jobs itself: cancel instead.
        """
        hooks = self._hooks
        if hooks is None or hooks.worker is None:
            return Stop.NOT_HERE
        if inventory.pool_of(hooks.worker) == "simple":
            raise Unsupported("pool", "jobs run in the worker itself: cancel instead")
        horse = hooks.worker.horse_pid
        if hooks.current != task_id or not horse:
            return Stop.ALREADY if task_id in hooks.ended else Stop.NOT_HERE
        hooks.worker._stopped_job_id = task_id  # noqa: SLF001  (as RQ's own stop command does)
        return kill(horse, signals.Signals["SIG" + signal.removeprefix("SIG")], group=True)

    def _interrupt(self, hooks: Hooks, task_id: str) -> Stop:
        if hooks.worker is None or hooks.current != task_id:
            return Stop.ALREADY if task_id in hooks.ended else Stop.NOT_HERE
        if inventory.pool_of(hooks.worker) != "simple":
            return hooks.tell_horse(task_id)
        live = LIVE.get(task_id)
        is_asked = live is not None and live.interrupt(hooks.emit.interrupt)
        return Stop.ASKED if is_asked else Stop.ALREADY

    def _take_back(self, task_id: str) -> Stop:
        with store.reached(self.client) as client:
            try:
                fields = store.fields_of(client, task_id)
            except TaskNotFound:
                return Stop.NOT_HERE
            status, queue = store.status_of(fields), store.text(fields["origin"])
            if status in _ENDED:
                return Stop.ALREADY
            if status not in _WAITING or not store.unqueue(client, task_id, queue):
                return Stop.NOT_HERE
            native = pack_fields(task_id, fields)
            with self._telling(task_id):
                sending.cancel(client, task_id, queue)
        self._tell(TaskEvent(EventKind.CANCELLED, task_id, 0, native.task or None, queue,
                             native=partial(Native, *native), detail="operator"))  # fmt: skip
        return Stop.DONE

    # Queues.

    def depth(self, queue: str) -> QueueDepth:
        """Count a queue, and say how long its first job waits."""
        with store.reached(self.client) as client:
            return store.depth(client, queue)

    def purge(self, queue: str) -> int:
        """Drop what waits in a queue; scheduled, deferred and failed jobs stay."""
        with store.reached(self.client) as client:
            return sending.purge(client, queue)

    def peek(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        """Show waiting jobs and change nothing; no pickle is loaded."""
        with store.reached(self.client) as client:
            return store.peek(client, queue, limit, cursor)

    def dead_letters(self, queue: str, limit: int = 20, cursor: str | None = None) -> Page:
        """Show failed and stopped jobs as `peek` shows waiting ones."""
        with store.reached(self.client) as client:
            return store.dead_letters(client, queue, limit, cursor)

    @scoped(Scope.PROCESS)
    def pause(self, queue: str) -> None:
        """Start no more jobs of a queue in this worker; RQ's own `suspend` stops all queues."""
        if self._hooks is not None:
            self._hooks.paused.add(queue)

    @scoped(Scope.PROCESS)
    def resume(self, queue: str) -> None:
        """Start jobs of a queue again, within three seconds."""
        if self._hooks is not None:
            self._hooks.paused.discard(queue)

    # Stores.

    def replay_store(self) -> RedisReplay:
        """Keep messages for a retry in RQ's own Redis."""
        return RedisReplay(self.client)

    def lease_store(self, group: str, boottime: Callable[[], float]) -> LeaseStore:
        """Keep the leases of a group in RQ's own Redis."""
        return store_in(self.client, group, boottime, is_ours=True)

    def _tell(self, event: TaskEvent) -> None:
        if self._hooks is not None:
            self._hooks.emit(event)

    @contextmanager
    def _telling(self, task_id: str) -> Iterator[None]:
        """What happens to a job in here is told by who asked for it."""
        self._ours.add(task_id)
        try:
            yield
        finally:
            self._ours.discard(task_id)
