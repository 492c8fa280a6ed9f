"""A toy engine for tests of the agent: it keeps jobs in a list and does what it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from z4j_core import (
    Capability,
    Delivery,
    Emit,
    EngineUnavailable,
    EventKind,
    Job,
    Native,
    Parameter,
    Queue,
    QueueDepth,
    Scope,
    Stop,
    TaskDef,
    TaskEvent,
    scoped,
)


class ToyEngine:
    """An engine whose broker is a list in memory."""

    name = "toy"

    def __init__(self, app: str = "toyapp") -> None:
        self.app = app
        self.delivery = Delivery()
        self.unavailable: Mapping[Capability, str] = {}
        self.emit: Emit | None = None
        self.sent: list[Job] = []
        self.retried: list[tuple[Native, str | None]] = []
        self.cancelled: list[str] = []
        self.purged: list[str] = []
        self.depths: dict[str, int] = {"mail": 3}
        self.on_cancel = lambda task_id: None
        self.is_down = False

    def attach(self, emit: Emit) -> None:
        self.emit = emit

    def detach(self) -> None:
        self.emit = None

    def discover(self) -> Iterable[TaskDef]:
        params = (Parameter("order_id", 1), Parameter("password", 1))
        return [TaskDef("shop.charge", "shop", params), TaskDef("shop.report", "shop")]

    def queues(self) -> Iterable[Queue]:
        return [Queue(name, depth=QueueDepth(depth)) for name, depth in self.depths.items()]

    def enqueue(self, job: Job) -> str:
        if self.is_down:
            raise EngineUnavailable("the list is closed")
        self.sent.append(job)
        new_id = job.id or f"new-{len(self.sent)}"
        assert self.emit is not None
        self.emit(TaskEvent(EventKind.ENQUEUED, new_id, task=job.task, args=job.args))
        return new_id

    def retry(
        self, native: Native, *, task_id: str | None = None, queue: str | None = None,
        eta: float | None = None,
    ) -> str:  # fmt: skip
        self.retried.append((native, task_id))
        return f"retry-of-{task_id}"

    @scoped(Scope.PROCESS)
    def cancel(self, task_id: str, *, scope: Scope) -> Stop:
        self.on_cancel(task_id)
        self.cancelled.append(task_id)
        return Stop.DONE

    def depth(self, queue: str) -> QueueDepth:
        return QueueDepth(self.depths.get(queue, 0))

    def purge(self, queue: str) -> int:
        self.purged.append(queue)
        return self.depths.pop(queue, 0)
